"""Signs that a number of this data may be too good: duplicates across splits, columns that give the target away."""
