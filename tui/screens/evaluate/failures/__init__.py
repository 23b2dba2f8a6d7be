"""Tabs of Evaluate that show where a model fails: its mistakes, and the parts of a table that it answers worst."""
