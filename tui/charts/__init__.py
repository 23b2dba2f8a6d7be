"""Charts; no other package imports plotext."""
