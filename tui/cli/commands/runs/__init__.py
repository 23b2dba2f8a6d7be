"""`tui runs`: lists of runs, what they are called, and the trash."""
