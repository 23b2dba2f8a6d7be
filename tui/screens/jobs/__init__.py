"""Dialogs for the commands that use a run: report, export, predict, cross-validate, train with other seeds."""
