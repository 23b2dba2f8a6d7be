"""Files that hold a table: formats, encodings, and the lines around the rows."""
