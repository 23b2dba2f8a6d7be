"""Logs that other tools write, read as the events of a run."""
