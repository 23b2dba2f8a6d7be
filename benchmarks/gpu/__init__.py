"""Measurements of a GPU: waits, graphs, precisions, other libraries, several GPUs."""
