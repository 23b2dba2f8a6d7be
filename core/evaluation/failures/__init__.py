"""Where a model fails: parts of the samples that it answers worse, and targets that look wrong."""
