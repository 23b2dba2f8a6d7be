"""Recorded searches: the validation loss of every epoch of every configuration of a grid."""
