"""The language that picks runs, and the names that it knows."""
