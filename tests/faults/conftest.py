"""What every kind of fault is tried with: commands in the process of the tests, and in processes of their own."""

from tests.tui.cli.conftest import train, tui

__all__ = ["train", "tui"]
