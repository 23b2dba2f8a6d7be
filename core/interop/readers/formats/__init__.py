"""Formats of logs, one module each, and what they share: lines, columns, settings beside a log."""
