"""Parts that outlive a screen: hosts of runs, feeds, settings, processes."""
