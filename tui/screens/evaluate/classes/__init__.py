"""The classes over the epochs."""
