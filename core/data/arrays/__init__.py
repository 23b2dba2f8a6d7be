"""Arrays from NumPy files."""
