"""A study on disk: its trials, its storage, what it has found."""
