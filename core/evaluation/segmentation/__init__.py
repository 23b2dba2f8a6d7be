"""Masks, a class for each pixel: counts of an image, metrics, intervals over images, the report."""
