"""Agents in a folder of runs: their session, its budget, its calls, and the bounds of what they start."""
