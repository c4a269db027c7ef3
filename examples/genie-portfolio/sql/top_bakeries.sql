SELECT f.name, f.city, sum(t.totalPrice) AS revenue
FROM samples.bakehouse.sales_transactions AS t
JOIN samples.bakehouse.sales_franchises AS f USING (franchiseID)
GROUP BY f.name, f.city
ORDER BY revenue DESC
LIMIT 10
