"""The target of a table: which column it is, and which classes or numbers it holds."""
