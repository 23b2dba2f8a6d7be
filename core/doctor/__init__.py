"""What this machine lacks to train, and what to do about it."""
