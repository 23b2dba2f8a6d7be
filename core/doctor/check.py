"""One thing that was looked at."""

from dataclasses import dataclass

from core.remedies import Hint

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """One check: what was found, and what to do if something is wrong.

    Attributes:
        name: what was looked at, such as ``python`` or ``train on cpu``.
        ok: False when something does not work that should.
        found: one line.
        advice: one line; empty when there is nothing to do.
    """

    name: str
    ok: bool
    found: str
    advice: Hint = ""
