-- One row a day and country. A day is written again as a whole, so that running it twice gives the same.
CREATE TABLE IF NOT EXISTS IDENTIFIER(:catalog || '.gold.orders') (
  order_date DATE, country STRING, orders BIGINT, revenue DECIMAL(18, 2)
);

INSERT INTO IDENTIFIER(:catalog || '.gold.orders')
REPLACE WHERE order_date = :day
SELECT order_date, country, count(*) AS orders, sum(amount) AS revenue
FROM IDENTIFIER(:catalog || '.silver.orders')
WHERE order_date = :day
GROUP BY order_date, country;
