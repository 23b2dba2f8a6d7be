"""Capture of what user code, C libraries and processes print while the app owns the terminal.

Descriptors 1 and 2 lead to a file in memory, the spool, which the app reads now and then; the driver of the screen has
descriptors of its own. A file rather than a pipe: a pipe that is full stops its writer, and a C library that holds the
interpreter's lock would wait for a reader that waits for the lock; and a process that outlives the app can still print.
"""

import ctypes
import fcntl
import os
import select
import sys
import tempfile
import termios
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TextIO

__all__ = ["Capture"]

MAX_SPOOL = 1 << 20
"""Bytes that have been read before the spool is emptied."""
READ_BYTES = 1 << 20
WRITE_SECONDS = 0.5
LINE_BUFFERED = 1  # _IOLBF of C
NORMAL_SCREEN = (
    "\x1b\\\x1b[?2026l"  # the end of a sequence and of a frame that were cut off
    "\x1b[?2004l\x1b[?7h\x1b[?2048l"  # paste, line wrap, sizes
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # mouse
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"  # keyboard, alternate screen, cursor, focus
)
"""Undoes what Textual's driver asks of a terminal."""


class Capture:
    """Context manager in which the standard streams are captured, and those of the terminal are the app's alone.

    ``sys.__stdout__`` and ``sys.__stderr__``, which Textual draws on, lead to the terminal meanwhile.

    Attributes:
        errors: the real standard error, for the traceback of a crash.
    """

    def __init__(self) -> None:
        self._spool = _open_spool()
        self._offset = 0
        self._real = os.dup(1), os.dup(2)
        self._before = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
        self._streams = _stream(1, sys.stdout), _stream(2, sys.stderr)
        screen = 1 if os.isatty(1) and not os.isatty(2) else 2  # as in `tui 2>log`
        self._screen = os.dup(1), os.dup(screen)
        self._keyboard = _attributes(0)
        self.errors = _stream(self._real[1], sys.stderr)

    def __enter__(self) -> Self:
        _flush(*self._before[:2])
        out, screen = (_stream(number, sys.stdout) for number in self._screen)
        # Typed as final, but Textual takes them from nowhere else.
        sys.__stdout__, sys.__stderr__ = out, screen  # type: ignore[assignment,misc]
        os.dup2(self._spool, 1)
        os.dup2(self._spool, 2)
        self.take_streams()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _flush(*self._streams, self.errors)
        _flush_c()
        for number, real in enumerate(self._real, start=1):
            os.dup2(real, number)
        sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = self._before  # type: ignore[misc]  # as above

    def take_streams(self) -> None:
        """Let ``print`` reach the spool: an app that starts puts streams without a descriptor in their place."""
        sys.stdout, sys.stderr = self._streams

    def buffer_lines(self) -> None:
        """Let C libraries print line by line, as they do on a terminal; to a file they would print at the end."""
        with suppress(OSError, ValueError, AttributeError):
            library = ctypes.CDLL(None)
            name = "__stdoutp" if sys.platform == "darwin" else "stdout"
            library.setvbuf(ctypes.c_void_p.in_dll(library, name), None, LINE_BUFFERED, 0)

    def read(self) -> bytes:
        """Return what was printed since the last call, at most `READ_BYTES`."""
        size = os.fstat(self._spool).st_size
        if size < self._offset:  # truncated by someone who opened /dev/stdout anew
            self._offset = 0
        printed = os.pread(self._spool, READ_BYTES, self._offset) if size > self._offset else b""
        self._offset += len(printed)
        if self._offset > MAX_SPOOL and self._offset == os.fstat(self._spool).st_size:
            os.ftruncate(self._spool, 0)
            self._offset = 0
        return printed

    def leave_screen(self, codes: str = "") -> None:
        """Give the terminal back as it was, for a process that is about to exit without the app's help.

        Nothing more is drawn. A terminal that is gone or takes nothing is left alone.

        Args:
            codes: undo what the app itself has asked of it.
        """
        screen, nowhere = os.dup(self._screen[1]), os.open(os.devnull, os.O_WRONLY)
        for number in self._screen:  # waits for a frame that is being written
            os.dup2(nowhere, number)
        if os.isatty(screen):
            with suppress(OSError, termios.error):
                if select.select([], [screen], [], WRITE_SECONDS)[1]:
                    os.write(screen, (NORMAL_SCREEN + codes).encode())
                if self._keyboard is not None:
                    termios.tcsetattr(0, termios.TCSANOW, self._keyboard)
                    termios.tcflush(0, termios.TCIFLUSH)  # its answers to questions that nobody waits for

    def tell(self, text: str) -> None:
        """Print a line to the real standard error, if it takes one."""
        with suppress(OSError, ValueError):
            if select.select([], [self._real[1]], [], WRITE_SECONDS)[1]:
                print(text, file=self.errors, flush=True)


def _open_spool() -> int:
    """Return a descriptor of an empty file without a name, to append to and to read."""
    try:
        spool = os.memfd_create("printed")
    except (AttributeError, OSError):  # macOS, or forbidden
        with tempfile.TemporaryFile() as file:
            spool = os.dup(file.fileno())
    fcntl.fcntl(spool, fcntl.F_SETFL, fcntl.fcntl(spool, fcntl.F_GETFL) | os.O_APPEND)
    return spool


def _stream(number: int, like: TextIO) -> TextIO:
    """Return a stream of a descriptor, written line by line."""
    encoding = getattr(like, "encoding", None) or "utf-8"
    return open(number, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False)


def _attributes(number: int) -> list[Any] | None:
    try:
        return termios.tcgetattr(number)
    except termios.error:
        return None


def _flush(*streams: TextIO) -> None:
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.flush()


def _flush_c() -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)
