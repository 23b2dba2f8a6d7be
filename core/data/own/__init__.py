"""Data from the user's own Python function."""
