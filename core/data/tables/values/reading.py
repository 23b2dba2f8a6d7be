"""How the values of a column are read: as numbers, dates or texts."""

from dataclasses import dataclass
from typing import Literal

from core.data.tables.values.dates import moment, order_of
from core.data.tables.values.numbers import duration, number

__all__ = ["TIME", "Reading", "Rules", "parse", "quoted"]

TIME = "time"
"""Format of numbers that are times of day or durations, read as seconds."""
MAX_CHARACTERS = 60


@dataclass(frozen=True)
class Reading:
    """How the values of a column are read.

    Attributes:
        format: of a date the order of its parts, see `moment`; of a number ``,`` where that is the decimal mark, or
            `TIME`.
        unit: what may stand beside a number, such as ``%``, ``€`` or ``kg``.
        scaled: whether ``1.5k`` is 1500.
    """

    kind: Literal["number", "date", "text"]
    format: str = ""
    unit: str = ""
    scaled: bool = False


@dataclass(frozen=True)
class Rules:
    """Settings of the user that override what would be inferred.

    Attributes:
        missing: texts that stand for a missing value.
        categories: columns that are read as texts whatever they hold.
        numbers: columns that are read as numbers; what is none becomes missing.
        day_first: whether the day stands before the month in dates such as 05/04/2021; None infers it.
        decimal: ``.`` or ``,``; empty infers it.
    """

    missing: tuple[str, ...]
    categories: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    day_first: bool | None = None
    decimal: str = ""


def parse(text: str, how: Reading) -> float | None:
    """Return the number of a text, or the days since 1970 of a date; None when it is neither."""
    if how.kind == "date":
        return moment(text, order_of(how.format))
    if how.format == TIME:
        return duration(text)
    return number(text, how.format or ".", how.unit, how.scaled)


def quoted(text: object) -> str:
    """Return a text of the file for a message, cut if it is long."""
    shown = str(text)
    return f"'{shown if len(shown) <= MAX_CHARACTERS else shown[: MAX_CHARACTERS - 1] + '…'}'"
