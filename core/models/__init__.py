"""Networks by name: `registry` lists them; the `build` of a chosen one gives a module that fits the data."""
