"""The event log: one event a line, only ever added to, read by any process while it grows."""

import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import RunDamaged
from core.events import Event, from_json, to_json
from core.files.atomic import creating
from core.files.reading import open_plain, open_regular
from core.files.syncing import sync
from core.runs.folder import Run

__all__ = ["EventLog", "LogReader", "all_events"]

READ_BYTES = 1 << 20
"""Of one read: a screen takes in that much between two keys."""
LONGEST_LINE = 1 << 26
"""Bytes; what is longer is not an event, and is not kept."""
NOT_AN_EVENT = b"!"
KEY = b'"event"'
"""Part of every event: what lacks it need not be read as JSON."""


class EventLog:
    """Appends events to the log of a run.

    Raises:
        RunError: the file cannot be opened.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        with creating(run.log_file):
            self._file = self._open()

    def write(self, event: Event) -> None:
        """Append one event in one write, so that readers see whole lines.

        Raises:
            RunError: the disk does not take it.
        """
        with creating(self.run.log_file):
            if not os.fstat(self._file).st_nlink:  # deleted since; there may be room for a new one
                self._file, deleted = self._open(), self._file
                os.close(deleted)
            self._close_torn_line()
            os.write(self._file, (to_json(event, self.run.id) + "\n").encode())

    def close(self) -> None:
        """Write through to the disk and close.

        Raises:
            RunError: the disk does not take it.
        """
        try:
            with creating(self.run.log_file):
                sync(self._file, self.run.log_file)
        finally:
            os.close(self._file)

    def _open(self) -> int:
        return open_plain(self.run.log_file, os.O_RDWR | os.O_APPEND | os.O_CREAT)

    def _close_torn_line(self) -> None:
        """End the line that a killed process or a full disk left half written: the next event has its own."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


class LogReader:
    """Reads a log from the beginning, and later what has come since.

    Attributes:
        damaged: number of lines so far that were no events.
        offset: bytes read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.offset = 0
        self._torn = bytearray()

    def read(self) -> list[Event]:
        """The events since the last call, at most a megabyte of them; empty when there are none (yet).

        A last line without its end waits for the next call. Lines that are no events are counted and left out.
        """
        try:
            with open_regular(self.path) as file:
                file.seek(self.offset)
                data = file.read(READ_BYTES)
        except OSError:
            return []
        self.offset += len(data)
        begun, *lines = data.split(b"\n")
        self._torn += begun
        if lines:
            lines.insert(0, bytes(self._torn))
            self._torn = bytearray(lines.pop())
        elif len(self._torn) > LONGEST_LINE:
            self._torn = bytearray(NOT_AN_EVENT)
        return [event for line in lines if (event := self._parse(line)) is not None]

    def _parse(self, line: bytes) -> Event | None:
        if not line.strip():
            return None
        try:
            if KEY in line:
                return from_json(line)
        except RunDamaged:
            pass
        self.damaged += 1
        return None


def all_events(path: Path) -> Iterator[Event]:
    """Yield the events of a log that are there now."""
    reader = LogReader(path)
    before = -1
    while reader.offset > before:
        before = reader.offset
        yield from reader.read()
