SELECT coalesce(sum(orders), 0) AS orders
FROM gold.orders
WHERE order_date = current_date() - INTERVAL 1 DAY
