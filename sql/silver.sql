-- Orders of a day, cleaned and joined with their customers. Run by the task `silver`; :catalog and :day are its parameters.
CREATE TABLE IF NOT EXISTS IDENTIFIER(:catalog || '.silver.orders') (
  order_id BIGINT, customer_id BIGINT, country STRING, amount DECIMAL(12, 2), order_date DATE
);

MERGE INTO IDENTIFIER(:catalog || '.silver.orders') AS target
USING (
  SELECT o.order_id, o.customer_id, upper(c.country) AS country, CAST(o.amount AS DECIMAL(12, 2)) AS amount,
         to_date(o.ordered_at) AS order_date
  FROM IDENTIFIER(:catalog || '.bronze.orders') AS o
  JOIN IDENTIFIER(:catalog || '.bronze.customers') AS c USING (customer_id)
  WHERE to_date(o.ordered_at) = :day AND o.amount IS NOT NULL
) AS source
ON target.order_id = source.order_id
WHEN MATCHED THEN UPDATE SET *
WHEN NOT MATCHED THEN INSERT *;
