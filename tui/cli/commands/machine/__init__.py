"""`tui doctor` and `tui system`: this machine, and whether it can train."""
