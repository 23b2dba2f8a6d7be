"""Trains, tunes and evaluates; knows nothing of the terminal.

`RunWriter` is for scripts of your own: ``from core import RunWriter``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.interop.writer import RunWriter

__all__ = ["RunWriter"]


def __getattr__(name: str) -> Any:
    """`RunWriter`, imported when it is asked for."""
    if name == "RunWriter":
        from core.interop.writer import RunWriter

        return RunWriter
    raise AttributeError(f"module 'core' has no attribute '{name}'")
