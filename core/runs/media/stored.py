"""The images, texts and histograms that a run has kept: by name, in the order of their steps, and read back."""

import re
from collections import defaultdict, deque
from pathlib import Path

import numpy as np

from core.errors import RunDamaged
from core.events import Event, MediaLogged, RunStarted
from core.files.reading import open_regular, read_text
from core.runs.folder import Run
from core.runs.log import LogReader
from core.runs.media.histograms import Counts, from_text
from core.runs.media.kinds import MediaKind
from core.runs.media.pictures import MAX_SIDE, Pixels
from core.runs.script import log_of

__all__ = [
    "ENDINGS",
    "FILE",
    "MediaFollower",
    "MediaIndex",
    "Medium",
    "media_of",
    "path_of",
    "plain_part",
    "read_counts",
    "read_medium",
    "read_pixels",
    "read_words",
]

Medium = Pixels | str | Counts
"""An image, a text or a histogram."""
ENDINGS: dict[MediaKind, str] = {"image": ".png", "text": ".txt", "histogram": ".json"}
FILE = re.compile(r"(?P<number>\d{6,12})-(?P<name>[A-Za-z0-9_.-]{1,60})\.(png|txt|json)")
"""Name of a file: it leads out of no folder."""
MAX_NAMES, MAX_ITEMS = 1000, 100_000
"""That are kept in memory; a log that anybody may have written has no bounds."""
MAX_BYTES = 1 << 22
"""Of a text or a histogram."""
LINES = (b'"media_logged"', b'"run_started"')


def plain_part(name: str) -> str:
    """Return the part of a file's name that stands for a name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:60] or "media"


class MediaIndex:
    """Takes in events, and holds what a run has kept; a step that a later session does again takes its earlier place.

    Attributes:
        items: by name, oldest first; names in the order in which they came.
    """

    def __init__(self) -> None:
        self.items: dict[str, list[MediaLogged]] = {}
        self._count = 0
        self._earlier: dict[tuple[str, int], deque[int]] = {}
        self._goes_back = False

    def apply(self, event: Event) -> None:
        """Take in one event of a run."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, MediaLogged):
            self._take(event)

    def _take(self, event: MediaLogged) -> None:
        if earlier := self._earlier.get((event.name, event.step)):
            self.items[event.name][earlier.popleft()] = event
            return
        if self._goes_back:
            self._discard_from(event.name, event.step)
        if self._has_room(event.name):
            self.items.setdefault(event.name, []).append(event)
            self._count += 1

    def _discard_from(self, name: str, step: int) -> None:
        """Drop what came after a step that the log of another tool goes back to."""
        items = self.items.get(name, [])
        if items and items[-1].step > step:
            kept = [item for item in items if item.step < step]
            self._count -= len(items) - len(kept)
            self.items[name] = kept

    def _has_room(self, name: str) -> bool:
        return self._count < MAX_ITEMS and (name in self.items or len(self.items) < MAX_NAMES)

    def _start(self, started: RunStarted) -> None:
        """Drop what comes again: of a run that starts over everything, else what came after its checkpoint."""
        anew = not started.step and not started.epoch
        left = {
            name: [] if anew else [event for event in events if event.done <= started.step]
            for name, events in self.items.items()
        }
        self.items = {name: events for name, events in left.items() if events}
        self._count = sum(map(len, self.items.values()))
        self._earlier = defaultdict(deque)  # places of what other sessions kept, by name and step
        self._goes_back = bool(log_of(started.config))
        for name, events in self.items.items() if not self._goes_back else ():
            for place, event in enumerate(events):
                self._earlier[name, event.step].append(place)


class MediaFollower:
    """Reads what a run has kept, and later what has come since, without reading all of its log as JSON."""

    def __init__(self, run: Run) -> None:
        self.run, self._index = run, MediaIndex()
        self._reader = _MediaReader(run.log_file)

    def read(self) -> MediaIndex:
        """Return all that is there now, which does not change with the next call."""
        before = -1
        while self._reader.offset > before:
            before = self._reader.offset
            for event in self._reader.read():
                self._index.apply(event)
        found = MediaIndex()
        found.items = {name: list(events) for name, events in self._index.items.items()}
        return found


def media_of(run: Run) -> MediaIndex:
    """Return what a run has kept so far."""
    return MediaFollower(run).read()


class _MediaReader(LogReader):
    def _parse(self, line: bytes) -> Event | None:
        return super()._parse(line) if any(kind in line for kind in LINES) else None


def path_of(run: Run, event: MediaLogged) -> Path:
    """Return the file of an item.

    Raises:
        RunDamaged: the event names none of ours.
    """
    if FILE.fullmatch(event.file) is None or not event.file.endswith(ENDINGS[event.kind]):
        raise RunDamaged(f"the log names a file that is none of this run: {event.file!r:.80}")
    return run.media_folder / event.file


def read_medium(run: Run, event: MediaLogged) -> Medium:
    """Return an item.

    Raises:
        RunDamaged: its file is missing or damaged.
    """
    if event.kind == "image":
        return read_pixels(run, event)
    return read_words(run, event) if event.kind == "text" else read_counts(run, event)


def read_pixels(run: Run, event: MediaLogged) -> Pixels:
    """Return an image.

    Raises:
        RunDamaged: its file is missing or damaged.
    """
    from PIL import Image

    path = path_of(run, event)
    try:
        with open_regular(path) as file, Image.open(file, formats=["PNG"]) as opened:
            if max(opened.size) > MAX_SIDE:
                raise ValueError(f"{opened.width}x{opened.height} pixels")
            return np.asarray(opened.convert("L" if opened.mode in ("1", "L") else "RGB"))
    except Exception as error:  # Pillow raises whatever it trips over in a damaged file
        raise _damaged(path, error) from None


def read_words(run: Run, event: MediaLogged) -> str:
    """Return a text; it may hold anything, so clean it before it is shown.

    Raises:
        RunDamaged: its file is missing.
    """
    path = path_of(run, event)
    try:
        return read_text(path, errors="replace", limit=MAX_BYTES)
    except OSError as error:
        raise _damaged(path, error) from None


def read_counts(run: Run, event: MediaLogged) -> Counts:
    """Return a histogram.

    Raises:
        RunDamaged: its file is missing or damaged.
    """
    path = path_of(run, event)
    try:
        return from_text(read_text(path, errors="replace", limit=MAX_BYTES))
    except (OSError, RunDamaged) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> RunDamaged:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return RunDamaged(f"{path.name} cannot be read: {reason}")
