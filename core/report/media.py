"""The last image, text and histogram of each name that a run has kept."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import TorchtuiError
from core.events import MediaLogged
from core.interop.readers.media import medium_of
from core.report.figures import drawn
from core.report.page import Figure
from core.runs.folder import Run
from core.runs.media.histograms import Counts
from core.runs.media.pictures import Pixels, png
from core.runs.media.stored import media_of

__all__ = ["Media", "last_media"]

MAX_NAMES = 24
MAX_TEXT = 5000
SMALL = 256
"""Pixels that the longer side of a smaller picture is enlarged to."""


@dataclass(frozen=True)
class Media:
    """The last items as a report shows them.

    Attributes:
        texts: a caption and a text each. left_out: number of further names.
    """

    figures: list[Figure]
    texts: list[tuple[str, str]]
    left_out: int = 0


def last_media(run: Run) -> Media | None:
    """Return the last items of a run; None where it has kept none."""
    items = media_of(run).items
    if not items:
        return None
    figures, texts = list[Figure](), list[tuple[str, str]]()
    for event in [events[-1] for events in list(items.values())[:MAX_NAMES]]:
        try:
            medium = medium_of(run, event)
        except TorchtuiError:  # it is gone, or damaged
            continue
        if isinstance(medium, str):
            text = medium if len(medium) <= MAX_TEXT else f"{medium[:MAX_TEXT]} ..."
            texts.append((_caption(event), text))
        else:
            figures.append(_figure(event, medium))
    return Media(figures, texts, max(0, len(items) - MAX_NAMES))


def _figure(event: MediaLogged, medium: Pixels | Counts) -> Figure:
    if not isinstance(medium, Counts):
        times = max(1, SMALL // max(medium.shape[:2]))
        larger = medium.repeat(times, axis=0).repeat(times, axis=1)
        return Figure(png(larger), "png", event.name, _caption(event))

    def draw(axes: Any) -> None:
        axes.stairs(np.array(medium.counts), medium.edges, fill=True)
        axes.set_ylabel("values")

    return Figure(drawn(draw), "svg+xml", f"histogram of {event.name}", _caption(event))


def _caption(event: MediaLogged) -> str:
    return f"{event.name}, step {event.step:,}" + (f": {event.caption}" if event.caption else "")
