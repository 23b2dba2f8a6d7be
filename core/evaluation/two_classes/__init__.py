"""Two classes, one of them positive: which threshold decides between them, and the numbers that only they have."""
