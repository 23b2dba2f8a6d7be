"""Networks from images to maps of the same size."""
