"""Checkpoints that several processes wrote, each its part."""
