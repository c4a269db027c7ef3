# Databricks notebook source
# Stops the night before gold is written from rows that cannot be right.

# COMMAND ----------
day = dbutils.widgets.get("day")
orders = spark.table(f"{dbutils.widgets.get('schema')}.orders").where(f"order_date = '{day}'")

# COMMAND ----------
rules = {
    "an order has a customer": "customer_id IS NULL",
    "an amount is positive": "amount <= 0",
    "a country has two letters": "length(country) <> 2",
}
broken = {rule: count for rule, wrong in rules.items() if (count := orders.where(wrong).count())}
if broken:
    raise Exception("; ".join(f"{rule}: {count} rows do not" for rule, count in broken.items()))

print(f"{orders.count()} orders of {day} look right")
