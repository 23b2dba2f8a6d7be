"""One item as it is shown: read and scaled off the UI thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from textual.content import Content

from core.errors import RunDamaged
from core.events import MediaLogged
from core.interop.readers.following import ForeignLog
from core.interop.readers.media import medium_of
from core.runs.folder import Run
from core.runs.media.histograms import Counts
from core.runs.media.pictures import Pixels
from tui.terminal.text import clean, count

__all__ = ["Histograms", "Owner", "Shown", "read_item"]

MAX_STEPS = 128
"""Histograms over the steps that are read at once."""
MAX_CHARACTERS = 20_000
"""Of a text that are shown; wrapping more would keep a key waiting."""


@dataclass(frozen=True)
class Histograms:
    """Those of some steps, and the place of the chosen one among them."""

    over_steps: list[tuple[int, Counts]]
    place: int


Owner = Run | ForeignLog
Shown = Pixels | Content | Histograms
"""A picture, a text, or histograms."""


def read_item(owner: Owner, events: Sequence[MediaLogged], place: int, pixels: tuple[int, int]) -> Shown:
    """Return what is shown of the item at a place.

    Args:
        events: those of its name. pixels: the most, across and down, that its place on the screen can show.

    Raises:
        RunDamaged: its file is missing or damaged.
    """
    if events[place].kind == "histogram":
        return _histograms(owner, events, place)
    medium = medium_of(owner, events[place])
    assert not isinstance(medium, Counts)
    return _text(medium) if isinstance(medium, str) else _within(medium, *pixels)


def _within(pixels: Pixels, width: int, height: int) -> Pixels:
    """Reduce a picture that is larger than its place: means of areas."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    if scale >= 1 or width < 1 or height < 1:
        return pixels
    from PIL import Image

    size = max(1, int(pixels.shape[1] * scale)), max(1, int(pixels.shape[0] * scale))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _text(text: str) -> Content:
    lines = [clean(line.expandtabs()) for line in text[:MAX_CHARACTERS].split("\n")]
    more = len(text) - MAX_CHARACTERS
    left_out = [("\n… ", "$text-muted"), (f"{count(more)} more characters are in its file", "$text-muted")]
    return Content.assemble("\n".join(lines), *(left_out if more > 0 else []))


def _histograms(owner: Owner, events: Sequence[MediaLogged], place: int) -> Histograms:
    """Read some over all steps, the chosen one among them; of the others those that are damaged are left out."""
    some = np.linspace(0, len(events) - 1, min(MAX_STEPS, len(events))).round().astype(int)
    places = sorted({*some.tolist(), place})
    found = []
    for each in places:
        try:
            found.append((each, _counts(owner, events[each])))
        except RunDamaged:
            if each == place:
                raise
    chosen = next(at for at, (each, _) in enumerate(found) if each == place)
    return Histograms([(events[each].step, counts) for each, counts in found], chosen)


@lru_cache(maxsize=4 * MAX_STEPS)
def _counts(owner: Owner, event: MediaLogged) -> Counts:
    counts = medium_of(owner, event)
    assert isinstance(counts, Counts)
    return counts
