"""Slurm: jobs as scripts, submitted, followed and cancelled through its own commands."""
