"""Costs of torchtui beside those of others, measured in turns in one process; see NOTES.md."""
