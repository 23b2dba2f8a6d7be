"""Where the time and the memory of a training go, and what would help."""
