"""Images, texts and histograms in event files of TensorBoard: found while the numbers are read, decoded when shown.

A value of a summary holds a picture (field 4), a histogram (5), or a tensor (8) that its metadata (9) assigns to the
plugins ``images``, ``histograms`` or ``text``; see
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/summary.proto.
"""

import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.errors import DataError, RunDamaged
from core.events import MediaLogged
from core.files.reading import open_regular
from core.interop.readers.formats.protobuf import ByteSource, fields, inside, varint
from core.runs.media.histograms import Counts, fitting_counts
from core.runs.media.kinds import MediaKind
from core.runs.media.pictures import decoded, joined
from core.runs.media.stored import Medium

__all__ = ["BoardItem", "item_in", "place_of_item", "read_board_item"]

PLUGINS: dict[bytes, MediaKind] = {b"images": "image", b"histograms": "histogram", b"text": "text"}
PLACE = re.compile(r"(?P<file>[^@]*)@(?P<start>\d{1,15})\+(?P<length>\d{1,10})")
MAX_BYTES = 1 << 28
"""Of one item."""
TEXT_ENDING = "/text_summary"
"""That PyTorch's writer adds to the tags of texts."""
DOUBLES, BYTES = "<f8", "S"
HALF = 2
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8"}


class BoardItem(NamedTuple):
    """An item: its kind, its tag, and where its value is, in bytes."""

    kind: MediaKind
    tag: str
    start: int
    length: int


def item_in(data: ByteSource, start: int, end: int) -> BoardItem | None:
    """Return the item that a value of a summary is; None if it is another.

    Raises:
        ValueError: it is not a value.
        KeyError: it has no tag.
    """
    spans = {number: (first, last) for number, first, last in fields(data, start, end)}
    kind: MediaKind | None = "image" if 4 in spans else "histogram" if 5 in spans else None
    if kind is None and 8 in spans and 9 in spans:
        plugin = next((data[first:last] for first, last in inside(data, spans[9], 1, 1)), b"")
        kind = PLUGINS.get(plugin)
    if kind is None:
        return None
    tag = data[slice(*spans[1])].decode(errors="replace")
    return BoardItem(kind, tag.removesuffix(TEXT_ENDING) if kind == "text" else tag, start, end - start)


def place_of_item(file: str, item: BoardItem) -> str:
    """Return the place of an item as events have it.

    Args:
        file: the event file, as seen from the folder of the log; empty where that is the log itself.
    """
    return f"{file}@{item.start}+{item.length}"


def read_board_item(log: Path, event: MediaLogged) -> Medium:
    """Return an item of a log.

    Raises:
        RunDamaged: it is no longer there, or damaged.
    """
    match = PLACE.fullmatch(event.file)
    if match is None or ".." in Path(match["file"]).parts or Path(match["file"]).is_absolute():
        raise RunDamaged(f"the log names a file that is none of it: {event.file!r:.80}")
    file = log / match["file"] if match["file"] else log
    if "tfevents" not in file.name:
        raise RunDamaged(f"the log names a file that is none of it: {event.file!r:.80}")
    try:
        with open_regular(file, follow_links=True) as opened:
            opened.seek(int(match["start"]))
            value = opened.read(min(int(match["length"]), MAX_BYTES))
        return _decoded(value, event.kind)
    except (OSError, ValueError, KeyError, IndexError, struct.error, DataError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", "it is damaged")
        raise RunDamaged(f"{file.name} cannot be read: {reason}") from None


def _decoded(value: bytes, kind: MediaKind) -> Medium:
    spans = {number: (first, last) for number, first, last in fields(value, 0, len(value))}
    if kind == "image":
        if 4 in spans:
            return decoded(next(value[first:last] for first, last in inside(value, spans[4], 4)))
        return joined(
            [decoded(each) for each in _strings(value, spans[8])[HALF:]]
        )  # width and height come first
    if kind == "text":
        return "\n".join(each.decode(errors="replace") for each in _strings(value, spans[8]))
    if 5 in spans:
        return _histogram(value, spans[5])
    rows = _numbers(value, spans[8]).reshape(-1, 3)  # left, right, count
    return fitting_counts(np.append(rows[:1, 0], rows[:, 1]), rows[:, 2])


def _histogram(value: bytes, span: tuple[int, int]) -> Counts:
    """Return the histogram of a message HistogramProto; its bins are given by their upper ends."""
    spans = {number: (first, last) for number, first, last in fields(value, *span)}
    low, high, count, total, squares = (
        struct.unpack_from("<d", value, spans[number][0])[0] if number in spans else 0.0
        for number in range(1, 6)
    )
    ends, counts = (
        np.frombuffer(b"".join(value[first:last] for first, last in inside(value, span, number)), DOUBLES)
        for number in (6, 7)
    )
    edges = np.clip(np.append(min(low, ends[0]), ends), low, high)
    mean = total / count if count else None
    deviation = max(0.0, squares / count - (total / count) ** 2) ** 0.5 if count else None
    return fitting_counts(edges, counts, mean, deviation)


def _strings(value: bytes, span: tuple[int, int]) -> list[bytes]:
    """Return the texts of a tensor."""
    return [value[first:last] for first, last in inside(value, span, 8)]


def _numbers(value: bytes, span: tuple[int, int]) -> np.ndarray:
    """Return the numbers of a tensor, however it holds them."""
    spans = {number: (first, last) for number, first, last in fields(value, *span)}
    kind = TYPES[varint(value, *spans[1])[0]]
    place = next(number for number in (4, 5, 6) if number in spans)
    return np.frombuffer(value[slice(*spans[place])], kind).astype(np.float64)
