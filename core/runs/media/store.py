"""Keeps the images, texts and histograms of a run in its folder, bounded in number and size."""

import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from core.errors import DataError, RunError
from core.events import Event, MediaLogged, Notice
from core.files.atomic import creating
from core.files.temporary import hidden_file
from core.runs.folder import Run
from core.runs.media.histograms import Counts, counted_values, given_counts, to_text
from core.runs.media.kinds import KINDS, MediaKind, kind_of
from core.runs.media.pictures import Notes, picture, png
from core.runs.media.stored import ENDINGS, FILE, media_of, plain_part

__all__ = ["MAX_TEXT", "MediaStore", "kept"]

MAX_TEXT = 100_000
MAX_CAPTION, MAX_NAME = 300, 200
MEGABYTE = 1_000_000


def kept(item: Any) -> tuple[MediaKind, bytes, Notes]:
    """Return an image, a text or a histogram as its kind, the content of its file, and what was guessed.

    Raises:
        DataError: it is not what its kind takes.
    """
    kind = kind_of(item)
    if kind == "image":
        pixels, notes = picture(item.value, item.layout)
        if item.others:
            notes["others"] = f"of Image these have no meaning here: {', '.join(item.others)}"
        return kind, png(pixels), notes
    if kind == "text":
        text, notes = _text(item.value)
        return kind, text.encode(errors="backslashreplace"), notes
    if kind == "histogram":
        counts = _counts(item)
        return kind, to_text(counts).encode(), _of_histogram(counts)
    raise DataError(f"got a {type(item).__name__}", f"Give {', '.join(map(str.capitalize, KINDS))}")


def _counts(item: Any) -> Counts:
    if item.np_histogram is not None:
        return given_counts(item.np_histogram)
    return counted_values(item.values, item.num_bins)


def _text(value: Any) -> tuple[str, Notes]:
    if isinstance(value, list | tuple) and all(isinstance(line, str) for line in value):
        value = "\n".join(value)
    if not isinstance(value, str):
        raise DataError(f"a {type(value).__name__} is not a text", "Give a text, or a list of lines")
    if len(value) <= MAX_TEXT:
        return value, {}
    return value[:MAX_TEXT], {"length": f"{len(value):,} characters: the first {MAX_TEXT:,} are kept"}


def _of_histogram(counts: Counts) -> Notes:
    if not counts.not_finite:
        return {}
    total = counts.not_finite + int(counts.total)
    return {"finite": f"{counts.not_finite:,} of {total:,} values are not finite, and left out"}


class MediaStore:
    """Writes one file for each item, and emits an event that names it.

    What earlier sessions of the run have kept counts. It is removed where its steps are done again.

    Args:
        emit: takes the events.
        limit: so many items of a name, and so many megabytes in all.
    """

    def __init__(self, run: Run, emit: Callable[[Event], None], limit: int) -> None:
        self._run, self._folder, self._emit, self._limit = run, run.media_folder, emit, limit
        self._counts = Counter[str]()
        self._earlier: dict[tuple[str, int], deque[str]] = defaultdict(deque)
        self._bytes = self._last = 0
        self._told = set[tuple[str, str]]()
        self._failing, self._has_taken_over = False, False

    def keep(self, name: str, item: Any, *, step: int, epoch: int, done: int) -> None:
        """Keep one item, unless there are too many; a disk that does not take it is reported.

        Args:
            name: such as ``samples``. item: see `core.runs.media.kinds`.
            step: that it is shown at. epoch: that it belongs to. done: steps done since the start of the run.

        Raises:
            DataError: it is not what its kind takes, or the name is none.
        """
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
            raise DataError(f"name: got {name!r:.60}", f"Give a text of 1 to {MAX_NAME} characters")
        try:
            self._take_over()
            earlier = self._earlier.get((name, step))
            if not earlier and not self._has_room(name):
                return
            kind, content, notes = kept(item)
            file = f"{self._last + 1:06d}-{plain_part(name)}{ENDINGS[kind]}"
            self._write(file, content)
        except DataError as error:
            raise DataError(f"{name}: {error.message}", error.hint) from None
        except RunError as error:
            if not self._failing:
                self._emit(Notice(level="error", message=f"{name} not kept: {error}"))
            self._failing = True
            return
        self._failing = False
        self._count(file, len(content))
        caption = str(item.caption)[:MAX_CAPTION]
        self._emit(
            MediaLogged(kind=kind, name=name, step=step, epoch=epoch, done=done, file=file, caption=caption)
        )
        if earlier:
            self._remove(earlier.popleft())
        for key, text in notes.items():
            self._tell(name, key, text, "info")

    def _remove(self, file: str) -> None:
        """Remove what another item stands in the place of; a file that stays does no harm."""
        match = FILE.fullmatch(file)
        if match is not None:
            with suppress(OSError):
                size = os.stat(self._folder / file, follow_symlinks=False).st_size
                os.unlink(self._folder / file)
                self._counts[match["name"]] -= 1
                self._bytes -= size

    def _has_room(self, name: str) -> bool:
        more = f"TUI_MEDIA={2 * self._limit or 1000} keeps more"
        if self._counts[plain_part(name)] >= self._limit:
            text = f"only the first {self._limit:,} of a name are kept, and these are left out: {more}"
        elif self._bytes >= self._limit * MEGABYTE:
            text = f"the run has {self._limit:,} MB of images, texts and histograms, and more are left out: {more}"
        else:
            return True
        self._tell(name, "room", text, "warning")
        return False

    def _tell(self, name: str, key: str, text: str, level: Any) -> None:
        """Report something once for each name."""
        if (name, key) not in self._told:
            self._told.add((name, key))
            self._emit(Notice(level=level, message=f"{name}: {text}"))

    def _write(self, file: str, content: bytes) -> None:
        """Write a file whole or not at all; when it reaches the disk is left to the system, as there may be many.

        Raises:
            RunError: it cannot be written.
        """
        path = self._folder / file
        with creating(path):
            self._folder.mkdir(exist_ok=True)
            temporary, handle = hidden_file(path, 0o666)
            try:
                with os.fdopen(handle, "wb") as opened:
                    opened.write(content)
                os.replace(temporary, path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def _count(self, file: str, size: int) -> None:
        match = FILE.fullmatch(file)
        assert match is not None
        self._last = max(self._last, int(match["number"]))
        self._counts[match["name"]] += 1
        self._bytes += size

    def _take_over(self) -> None:
        """Count what is there already, once: the start of this session, from which it resumes, is in the log by then.

        Raises:
            RunError: the folder cannot be read, or is a link.
        """
        if self._has_taken_over:
            return
        if self._folder.is_symlink():
            raise RunError(f"{self._folder} is a link", "Replace it with what it points to")
        earlier = [event for events in media_of(self._run).items.values() for event in events]
        known = {event.file for event in earlier}
        for event in earlier:
            self._earlier[event.name, event.step].append(event.file)
        with creating(self._folder):
            for entry in os.scandir(self._folder) if self._folder.is_dir() else ():
                match = FILE.fullmatch(entry.name)
                if match is not None and entry.name in known:
                    self._count(entry.name, entry.stat(follow_symlinks=False).st_size)
                elif match is not None:
                    self._last = max(
                        self._last, int(match["number"])
                    )  # no number twice: readers keep what they saw
                    os.unlink(entry.path)
        self._has_taken_over = True
