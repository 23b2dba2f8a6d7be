"""What a run has logged so far: series to draw, facts to show, notes when it looks wrong."""
