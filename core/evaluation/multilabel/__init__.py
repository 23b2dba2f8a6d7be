"""Evaluation of several labels a sample: each label against the rest, and means over labels or samples.

Scores are float (n, labels), targets uint8 (n, labels) of zeros and ones.
"""
