"""Runs of other trainers: a writer for scripts, adapters, and readers of other tools' logs."""
