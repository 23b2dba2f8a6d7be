"""Samples with several labels: their confusion, and the facts of one."""
