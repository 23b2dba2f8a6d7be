"""History of a run: series to draw, facts to show, notes when it looks wrong."""
