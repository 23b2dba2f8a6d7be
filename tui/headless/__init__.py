"""Runs and studies without screens: progress, plain lines, JSON, text reports."""
