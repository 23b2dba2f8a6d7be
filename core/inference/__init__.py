"""Predictions: from a network, from a script, stored with a run, and the samples behind a number."""
