"""Starts, resumes and ends a run."""
