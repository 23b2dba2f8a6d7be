"""Files on disk: written whole, one JSON value a line."""
