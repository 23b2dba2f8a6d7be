"""A console file: what a program prints, kept as lines; bounded, since a program may print for ever.

The newest part is in ``console.log``, the one before it in ``console.1.log``; what is older is gone. A process either
writes its lines through `ConsoleLog`, or prints into the file itself, which is then bounded by `bound`.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from core.errors import RunError
from core.files.atomic import write_atomically
from core.files.printed import PrintedLines
from core.files.reading import open_plain, open_regular

__all__ = ["MAX_BYTES", "ConsoleLog", "ConsoleReader", "bound", "kept_bounded", "older_part"]

MAX_BYTES = 1 << 20
"""Of each part; a program that prints into the file itself may exceed it until the file is looked at again."""
READ_BYTES = 1 << 20
LOOK_SECONDS = 10.0
OPEN_SECONDS = 1.0
"""A line that has not ended after that, such as a progress bar, is written as it is, and again as often."""
REDRAW = b"\r\x1b[K"
"""Before what takes the place of a line that had not ended."""


def older_part(path: Path) -> Path:
    """Return the file of what was printed before that in a console file: ``console.1.log``."""
    return path.with_stem(f"{path.stem}.1")


class ConsoleLog:
    """Appends lines to a console file, from the first one on; a disk that fails loses them, and raises nothing.

    Args:
        clock: returns seconds.

    Attributes:
        problem: why the last lines were not written; empty if they were.
        open_text: the last line, which has not ended.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self.problem = path, ""
        self._lines = PrintedLines()
        self._file: int | None = None
        self._clock = clock
        self._since: float | None = None  # when the open line began, or was last written
        self._is_shown = False  # whether the file ends in it

    @property
    def open_text(self) -> str:
        return self._lines.open_text

    def write(self, printed: bytes) -> None:
        """Keep what was printed next."""
        lines = self._lines.feed(printed)
        self._append([f"{line}\n" for line in lines])
        if not self.open_text or lines:
            self._since = None
        if self.open_text:
            now = self._clock()
            if self._since is None:
                self._since = now
            elif now - self._since >= OPEN_SECONDS:
                self._since = now
                self._append([self.open_text])
                self._is_shown = True

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._append([f"{line}\n" for line in self._lines.end()])
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, lines: list[str]) -> None:
        if not lines:
            return
        text = (REDRAW if self._is_shown else b"") + _last(lines)
        self.problem, self._is_shown = "", False
        try:
            if self._file is None:
                self._file = self._open()
            if os.fstat(self._file).st_size + len(text) > MAX_BYTES:
                os.replace(self.path, older_part(self.path))
                self._file, old = self._open(), self._file
                os.close(old)
            os.write(self._file, text)
        except OSError as error:
            self.problem = error.strerror or str(error)

    def _open(self) -> int:
        """Open the file; a line in it that a killed process left without an end gets one."""
        file = open_plain(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")
        return file


class ConsoleReader:
    """Reads the lines of a console file from the older part on, and later what has come since.

    Attributes:
        lines: those that no longer change.
        open_text: the last line, if it has not ended.
        generation: grows when the lines are read anew, after the file was bounded or replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []
        self.generation = 0
        self._printed = PrintedLines()
        self._inode = self._offset = 0

    @property
    def open_text(self) -> str:
        return self._printed.open_text

    def read(self) -> bool:
        """Read what is new, at most `READ_BYTES`; return whether there was anything."""
        try:
            file = open_plain(self.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            found = os.fstat(file)
            if found.st_ino != self._inode or found.st_size < self._offset:
                self._start_anew(found.st_ino, found.st_size)
            printed = os.pread(file, READ_BYTES, self._offset)
        except OSError:
            return False
        finally:
            os.close(file)
        self._offset += len(printed)
        self.lines += self._printed.feed(printed)
        return bool(printed)

    def _start_anew(self, inode: int, size: int) -> None:
        self.lines, self._printed = [], PrintedLines()
        self.generation += 1
        self._inode, self._offset = inode, max(0, size - 2 * MAX_BYTES)
        with suppress(OSError), open_regular(older_part(self.path)) as older:
            self.lines += [*self._printed.feed(older.read(2 * MAX_BYTES)), *self._printed.end()]


def bound(path: Path) -> None:
    """Move what is in a console file to its older part, as lines, if it is larger than it may be.

    For a file into which processes print: it is emptied rather than replaced, since they hold it open.

    Raises:
        RunError, OSError: the disk refuses.
    """
    if os.stat(path, follow_symlinks=False).st_size <= MAX_BYTES:
        return
    file = open_plain(path, os.O_RDWR)
    try:
        printed, kept, offset = PrintedLines(), list[str](), max(0, os.fstat(file).st_size - 8 * MAX_BYTES)
        while data := os.pread(file, READ_BYTES, offset):
            offset += len(data)
            kept += printed.feed(data)
        text = _last([f"{line}\n" for line in [*kept, *printed.end()]])
        write_atomically(older_part(path), lambda older: older.write(text))
        os.ftruncate(file, 0)
    finally:
        os.close(file)


@contextmanager
def kept_bounded(path: Path) -> Iterator[None]:
    """Context manager in which a thread bounds a console file that this process and its children print into."""
    ended = Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            with suppress(RunError, OSError):
                bound(path)

    Thread(target=look, name="console", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _last(lines: list[str]) -> bytes:
    """Return as many lines from the end as one part may hold."""
    text = "".join(lines).encode()
    if len(text) <= MAX_BYTES:
        return text
    return text[text.index(b"\n", len(text) - MAX_BYTES - 1) + 1 :]
