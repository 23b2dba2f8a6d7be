"""Tables in Parquet files that are read block by block while a network trains."""
