"""Commands for every kind of fault: called in the process of the tests, or in processes of their own."""

from tests.tui.cli.conftest import train, tui

__all__ = ["train", "tui"]
