"""Tokens and texts: ids of a vocabulary that training samples give."""
