"""Callbacks that make a run of what other libraries train."""
