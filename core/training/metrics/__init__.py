"""Metrics of validation after each epoch, the user's own among them."""
