# Databricks notebook source
# Looks whether every source arrived before the night begins: a missing one is told by name, not by an empty report.

# COMMAND ----------
day = dbutils.widgets.get("day")
target = dbutils.widgets.get("target")
landing = dbutils.widgets.get("landing")

# COMMAND ----------
missing = []
for table in ("orders", "customers", "payments"):
    name = f"{target}.{table}"
    fresh = spark.catalog.tableExists(name) and (
        spark.table(name).where(f"to_date(_ingested_at) >= '{day}'").limit(1).count() > 0
    )
    if not fresh:
        missing.append(table)

if missing:
    raise Exception(f"nothing of {day} arrived for {', '.join(missing)}; look into {landing} and the jobs ingest-*")
