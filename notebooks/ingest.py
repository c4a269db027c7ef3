# Databricks notebook source
# Brings what is new in the landing volume into a bronze table. Auto Loader remembers which files it has read.

# COMMAND ----------
parameter = dbutils.widgets.get
source, landing, target = parameter("source"), parameter("landing"), parameter("target")

# COMMAND ----------
from pyspark.sql import functions as f

stream = (
    spark.readStream.format("cloudFiles")
    .option("cloudFiles.format", parameter("format"))
    .option("cloudFiles.schemaLocation", f"{landing}/_schemas/{source}")
    .load(f"{landing}/{source}")
    .withColumn("_file", f.col("_metadata.file_path"))
    .withColumn("_ingested_at", f.current_timestamp())
)

# COMMAND ----------
query = (
    stream.writeStream.option("checkpointLocation", f"{landing}/_checkpoints/{source}")
    .option("mergeSchema", "true")
    .trigger(availableNow=True)
    .toTable(f"{target}.{source}")
)
query.awaitTermination()
