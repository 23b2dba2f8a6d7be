"""Gradients of a step that are computed without autograd."""
