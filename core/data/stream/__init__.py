"""Data that is read while a network trains: never all of it in memory, with fresh random numbers in each epoch."""
