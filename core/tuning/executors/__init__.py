"""Executors: the places where trials are trained."""
