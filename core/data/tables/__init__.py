"""Tables from files, read with polars.

`files` opens a file, `values` finds what its columns hold and reads them, `targets` finds the column to predict, and
`encoding` keeps what was learnt from the training rows to make features of all rows; `load` puts them together.
"""

from core.data.stream.memory import ask_polars

ask_polars()
