"""Data sets by name: `registry` lists them, `load` gives their train, validation and test splits."""
