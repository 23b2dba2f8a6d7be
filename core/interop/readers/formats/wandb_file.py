"""Offline runs of W&B, ``run-*.wandb``, read while they grow.

The file is a header of 7 bytes and a log of LevelDB in blocks of 32 KiB
(https://github.com/google/leveldb/blob/main/doc/log_format.md), whose records are protobuf messages.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import DataError, RunDamaged
from core.events import MediaLogged
from core.files.reading import open_regular
from core.interop.readers.folders import Folder
from core.interop.readers.formats.json_lines import flat_numbers
from core.interop.readers.formats.protobuf import fields, inside, varint
from core.interop.readers.formats.wandb_media import counts_in, items_of, typed_values
from core.interop.readers.rows import MAX_STEP, EpochColumn, LogItem, LogRow, LogRows
from core.runs.media.pictures import decoded
from core.runs.media.stored import Medium
from core.status import Ending

__all__ = ["WandbFile", "find_wandb_files", "is_wandb_file", "read_wandb_item", "wandb_title"]

MAGIC = b":W&B"
HEADER = 7
"""Bytes, of the file and of each piece of a record."""
BLOCK = 1 << 15
READ_BLOCKS = 64
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
HISTORY, CONFIG, RUN, EXIT = 2, 5, 17, 18
"""Numbers of the fields of a record that are read."""
MAX_BYTES = 1 << 26
"""Of an image."""


def is_wandb_file(path: Path) -> bool:
    """Return whether a file is such a run."""
    try:
        with open_regular(path, follow_links=True) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def find_wandb_files(folder: Folder) -> Iterator[Path]:
    """Yield the runs in a folder."""
    for name in folder.files:
        if name.endswith(".wandb") and is_wandb_file(folder.path / name):
            yield folder.path / name


def wandb_title(path: Path) -> str:
    """Return the project and the id of a run, as its file's name has the id."""
    return path.stem.removeprefix("run-")


def read_wandb_item(log: Path, event: MediaLogged) -> Medium:
    """Return an image from the files of a run, or a histogram from its log.

    Raises:
        RunDamaged: it is no longer there, or damaged.
    """
    place = Path(event.file)
    try:
        if event.kind == "histogram":
            return counts_in(_typed_at(log, int(event.file.removeprefix("@"))), event.name)
        if place.is_absolute() or ".." in place.parts:
            raise DataError("it is none of this run", "Look at the log with its own tool")
        with open_regular(log.parent / place, follow_links=True) as file:
            return decoded(file.read(MAX_BYTES))
    except (OSError, ValueError, DataError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", "it is damaged")
        raise RunDamaged(f"{event.file!r:.80} cannot be read: {reason}") from None


def _typed_at(log: Path, offset: int) -> dict[str, dict[str, Any]]:
    """Return the values with a type of the record at a place in the file."""
    with open_regular(log, follow_links=True) as file:
        file.seek(offset)
        data = file.read(READ_BLOCKS * BLOCK)
    source = WandbFile(log)
    source._offset = offset
    record = next(iter(source._records(data, [])), b"")
    spans = {number: (start, end) for number, start, end in fields(record, 0, len(record))}
    return typed_values(dict(_items(record, spans[HISTORY], 1)))[0] if HISTORY in spans else {}


class WandbFile:
    """Reads the history, the configuration and the end of a run."""

    tool = "W&B"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._epochs = EpochColumn()
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self.settings: dict[str, Any] = {}
        self.ending: Ending | None = None
        self._epochs.rewind()
        self._offset = HEADER
        self._begun, self._record_at = b"", HEADER
        self._found: list[LogItem] = []
        self._damaged = False
        self._named = False

    def read(self) -> LogRows:
        """The rows since the last call."""
        try:
            with open_regular(self.path, follow_links=True) as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._offset and self._offset > HEADER:
                    self.rewind()
                    return LogRows(anew=True)
                file.seek(self._offset)
                data = file.read(READ_BLOCKS * BLOCK)
        except OSError:
            return LogRows()
        problems = list[str]()
        rows = [row for record in self._records(data, problems) for row in self._read(record)]
        if self._epochs.is_fractional and self._named:
            self.rewind()
            return LogRows(anew=True, problems=problems)
        items, self._found = self._found, []
        return LogRows(rows, problems=problems, items=items)

    def _records(self, data: bytes, problems: list[str]) -> Iterator[bytes]:
        """Yield the whole records in the bytes behind the offset, and move it behind them."""
        start, at = self._offset, 0
        while at + HEADER <= len(data):
            left = BLOCK - (start + at) % BLOCK
            if left < HEADER:  # too short for a piece: padding
                at += left
                continue
            checksum, length, kind = struct.unpack_from("<IHB", data, at)
            end = at + HEADER + length
            if end > len(data):
                break
            piece = data[at + HEADER : end]
            if (
                kind not in (FULL, FIRST, MIDDLE, LAST)
                or zlib.crc32(piece, zlib.crc32(bytes((kind,)))) != checksum
            ):
                if not any(data[at : at + left]):  # room that is not written to yet
                    break
                if not self._damaged:
                    self._damaged = True
                    problems.append(f"{self.path.name} has damaged records, which are left out")
                if at + left > len(data):
                    break
                self._begun, at = b"", at + left
                continue
            if kind in (FULL, FIRST):
                self._begun, self._record_at = b"", start + at
            at, self._begun = end, self._begun + piece
            if kind in (FULL, LAST):
                self._offset = start + at
                yield self._begun
                self._begun = b""
        self._offset = start + at

    def _read(self, record: bytes) -> Iterator[LogRow]:
        try:
            spans = {number: (start, end) for number, start, end in fields(record, 0, len(record))}
            if HISTORY in spans:
                yield from self._row(dict(_items(record, spans[HISTORY], 1)))
            elif CONFIG in spans:
                self._take_settings(dict(_items(record, spans[CONFIG], 1)))
            elif RUN in spans:
                for config in inside(record, spans[RUN], 4):
                    self._take_settings(dict(_items(record, config, 1)))
            elif EXIT in spans:
                codes = [varint(record, *span)[0] for span in inside(record, spans[EXIT], 1)]
                self.ending = "failed" if any(codes) else "completed"
        except ValueError:
            return

    def _row(self, values: dict[str, Any]) -> Iterator[LogRow]:
        typed, others = typed_values(values)
        numbers = flat_numbers(others)
        step, time = numbers.pop("_step", -1.0), numbers.pop("_timestamp", 0.0)
        epoch = self._epochs.number(numbers.pop("epoch", None))
        self._named = self._named or epoch > 0
        shown = {name: value for name, value in numbers.items() if not name.startswith("_")}
        if 0 <= step < MAX_STEP:
            self._found += items_of(typed, int(step), time, self._record_at)
        if shown and 0 <= step < MAX_STEP:
            yield LogRow(int(step), time, shown, epoch)

    def _take_settings(self, values: dict[str, Any]) -> None:
        self.settings = {
            **self.settings,
            **{name: value for name, value in values.items() if name[:1] != "_"},
        }


def _items(record: bytes, span: tuple[int, int], number: int) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of a list of items: key 1, or the parts of a nested key 2, and JSON 16."""
    for start, end in inside(record, span, number):
        parts, value = list[str](), ""
        for field, first, last in fields(record, start, end):
            if field in (1, 2):
                parts.append(record[first:last].decode(errors="replace"))
            elif field == 16:
                value = record[first:last].decode(errors="replace")
        try:
            yield "/".join(filter(None, parts)), json.loads(value)
        except (ValueError, RecursionError):
            continue
