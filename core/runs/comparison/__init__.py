"""Runs side by side: their curves, settings and final metrics, and groups of runs that differ only in their seed."""
