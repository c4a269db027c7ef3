# Databricks notebook source
# Deletes raw rows older than `keep_days`; silver and gold keep theirs.

# COMMAND ----------
keep = int(dbutils.widgets.get("keep_days"))
target = dbutils.widgets.get("target")

# COMMAND ----------
for table in ("orders", "customers", "payments"):
    spark.sql(f"DELETE FROM {target}.{table} WHERE _ingested_at < current_date() - INTERVAL {keep} DAYS")
    spark.sql(f"VACUUM {target}.{table}")
