"""The folder of the checkout."""

from pathlib import Path

__all__ = ["REPOSITORY"]

REPOSITORY = Path(__file__).parents[2]
