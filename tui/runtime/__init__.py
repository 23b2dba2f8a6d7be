"""What outlives a screen: hosts of runs, feeds, settings, processes."""
