"""What agents do in a folder of runs: their session, its budget, its calls, the bounds of what they start."""
