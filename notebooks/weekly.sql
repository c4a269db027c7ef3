-- Databricks notebook source
-- The week before :day, country by country.
CREATE OR REPLACE TABLE IDENTIFIER(:catalog || '.gold.orders_of_the_week') AS
SELECT country, sum(orders) AS orders, sum(revenue) AS revenue
FROM IDENTIFIER(:catalog || '.gold.orders')
WHERE order_date BETWEEN date_sub(:day, 7) AND date_sub(:day, 1)
GROUP BY country

-- COMMAND ----------

OPTIMIZE IDENTIFIER(:catalog || '.gold.orders')
