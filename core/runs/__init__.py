"""A run is a folder. `folder` makes and finds them, `log` holds what they said, `summary` reports their status."""
