"""Charts that respond: zoom, pan, and a crosshair that reads values."""
