"""The Configure screen."""
