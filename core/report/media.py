"""The last image, text and histogram of each name that a run has kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import RunDamaged
from core.events import MediaLogged
from core.report.figures import drawn
from core.report.page import Figure
from core.runs.folder import Run
from core.runs.media.pictures import png
from core.runs.media.stored import media_of, read_counts, read_pixels, read_words

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
    last = [events[-1] for events in list(items.values())[:MAX_NAMES]]
    figures = [figure for event in last for figure in _figures(run, event)]
    texts = [(_caption(event), text) for event in last for text in _texts(run, event)]
    return Media(figures, texts, len(items) - len(last))


def _figures(run: Run, event: MediaLogged) -> Iterator[Figure]:
    try:
        if event.kind == "image":
            pixels = read_pixels(run, event)
            times = max(1, SMALL // max(pixels.shape[:2]))
            yield Figure(
                png(pixels.repeat(times, axis=0).repeat(times, axis=1)), "png", event.name, _caption(event)
            )
        elif event.kind == "histogram":
            counts = read_counts(run, event)

            def draw(axes: Any) -> None:
                axes.stairs(np.array(counts.counts), counts.edges, fill=True)
                axes.set_ylabel("values")

            yield Figure(drawn(draw), "svg+xml", f"histogram of {event.name}", _caption(event))
    except RunDamaged:
        return


def _texts(run: Run, event: MediaLogged) -> Iterator[str]:
    if event.kind == "text":
        try:
            text = read_words(run, event)
        except RunDamaged:
            return
        yield text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} ..."


def _caption(event: MediaLogged) -> str:
    return f"{event.name}, step {event.step:,}" + (f": {event.caption}" if event.caption else "")
