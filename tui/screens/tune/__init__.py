"""The Tune screen."""
