"""Trains, tunes and evaluates; knows nothing of the terminal.

`RunWriter` is for scripts of your own: ``from core import RunWriter``. `Image`, `Text` and `Histogram` are for what a
network's ``validation_step`` returns to be looked at.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.interop.writer import RunWriter
    from core.runs.media.kinds import Histogram, Image, Text

__all__ = ["Histogram", "Image", "RunWriter", "Text"]


def __getattr__(name: str) -> Any:
    """One of `__all__`, imported when it is asked for."""
    if name == "RunWriter":
        from core.interop.writer import RunWriter

        return RunWriter
    if name in __all__:
        from core.runs.media import kinds

        return getattr(kinds, name)
    raise AttributeError(f"module 'core' has no attribute '{name}'")
