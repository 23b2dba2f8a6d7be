"""Tables from files: CSV, TSV and Parquet, read with polars.

`source` opens a file, `reading` finds out what its columns hold, `target` what is to be predicted, and `encoding` is
what was learnt from the training rows to make numbers of all of it; `load` puts them together.
"""
