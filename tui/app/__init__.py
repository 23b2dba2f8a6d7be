"""The app: its screens, its reaction to a lost terminal, and serving it to a browser."""
