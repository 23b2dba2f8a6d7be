"""Tasks: what the target of a sample is, and all that follows from it. One module each."""
