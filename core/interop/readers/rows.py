"""Rows of numbers by step, as trackers keep them: what a reader of a format yields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from core.runs.media.kinds import MediaKind
from core.status import Ending

__all__ = ["MAX_STEP", "EpochColumn", "LogItem", "LogRow", "LogRows", "LogSource"]

MAX_STEP = 1 << 53
"""Larger ones are no steps."""


class LogRow(NamedTuple):
    """Numbers that belong to one step.

    Attributes:
        step: at least 0. time: seconds since 1970.
        epoch: its epoch, from 1; 0 where the log names none.
        ends_epoch: it sums up its epoch.
    """

    step: int
    time: float
    values: Mapping[str, float]
    epoch: int = 0
    ends_epoch: bool = False


class LogItem(NamedTuple):
    """An image, a text or a histogram in a log, and where it is; the format reads it."""

    kind: MediaKind
    name: str
    step: int
    time: float
    place: str
    caption: str = ""


@dataclass(frozen=True)
class LogRows:
    """Rows that are new in a log.

    Attributes:
        items: images, texts and histograms that are new.
        anew: the log was written anew, or is understood in another way: what was read before is void.
        problems: what could not be read, a sentence each.
    """

    rows: list[LogRow] = field(default_factory=list)
    anew: bool = False
    problems: list[str] = field(default_factory=list)
    items: list[LogItem] = field(default_factory=list)


class LogSource(Protocol):
    """A log of another tool, read as rows while it grows: what a format implements.

    Attributes:
        path: of the file or folder.
        tool: what wrote it.
        settings: the configuration beside it, flat or in sections; it may become known while rows are read.
        ending: how the run ended, where the log says so.
    """

    path: Path
    tool: str
    settings: dict[str, Any]
    ending: Ending | None

    def read(self) -> LogRows:
        """The rows since the last call, a bounded number of them; none when there is nothing new."""

    def rewind(self) -> None:
        """Start over with the next call."""


class EpochColumn:
    """Numbers of epochs, from 1, of a column that counts them from 0 or from 1, or in fractions.

    Attributes:
        is_fractional: it holds parts of epochs, and so does not number them.
    """

    def __init__(self) -> None:
        self.is_fractional = False
        self._first: float | None = None

    def rewind(self) -> None:
        """Start over; what is known of fractions stays known."""
        self._first = None

    def number(self, value: float | None) -> int:
        """Return the epoch of a row, from 1; 0 where the value is none."""
        if value is None or self.is_fractional or not 0 <= value < MAX_STEP:
            return 0
        if not float(value).is_integer():
            self.is_fractional = True
            return 0
        if self._first is None:
            self._first = value
        return int(value) + (self._first == 0)
