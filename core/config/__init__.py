"""The configuration of a run: its schema, its errors, its checks."""
