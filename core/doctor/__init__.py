"""Checks of this machine: what it lacks for training, and what to do about it."""
