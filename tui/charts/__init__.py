"""Charts; plotext is known here alone."""
