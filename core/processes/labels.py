"""Output of processes other than the first: the rank before each line, ``[rank1]: ``, as PyTorch labels its own.

A process apart reads it, so that nothing is lost where the one that prints is killed.
"""

import atexit
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper, UnsupportedOperation
from typing import TextIO

from core.torchrun import is_first

__all__ = ["label_output", "labelled_lines"]

READ_BYTES = 1 << 16
MAX_LINE = 1 << 16
"""Bytes of a line that has not ended; longer ones are broken."""
LAST_SECONDS = 2.0
"""Longest time that the end of a process waits for its last lines; children of it may print on."""
LINE = re.compile(rb"[^\r\n]*[\r\n]")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that a batch system, or a shell, may send to all processes; what they print then is read to its end."""


def label_output() -> None:
    """Put this process's rank before each line that it and its children print; not if it is the first, or the only one.

    To be called while it has no other thread.
    """
    if is_first():
        return
    label = f"[rank{os.environ['RANK']}]".encode()
    together = os.path.sameopenfile(1, 2)
    readers = [_reader((1, 2), label)] if together else [_reader((number,), label) for number in (1, 2)]
    sys.stdout, sys.stderr = _opened(sys.stdout), _opened(sys.stderr)
    atexit.register(_end, [(1, readers[0][1]), (2, readers[-1][1])], [process for process, _ in readers])


def _opened(stream: TextIO) -> TextIO:
    """Return a stream for what a descriptor now leads to; one that was opened on a file asks a pipe for its position.

    It writes each line: a process that is killed keeps nothing back.
    """
    if not isinstance(stream, TextIOWrapper):
        return stream
    try:
        number = stream.fileno()
    except UnsupportedOperation:  # it is in memory
        return stream
    return open(number, "w", encoding=stream.encoding, errors=stream.errors, buffering=1, closefd=False)


def labelled_lines(label: bytes, rest: bytes, printed: bytes) -> tuple[bytes, bytes]:
    """Return the lines that have ended, each with a label, and the start of the next one.

    A carriage return ends a line, too, so that a progress bar keeps its label. PyTorch labels some lines itself.

    Args:
        label: such as ``[rank1]``.
        rest: the start of the next line, as of the last call.
        printed: what was printed since.
    """
    text = rest + printed
    ended = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1  # a search for ends that are not there is quadratic
    lines, rest = LINE.findall(text[:ended]), text[ended:]
    if len(rest) > MAX_LINE:
        lines, rest = [*lines, rest + b"\n"], b""
    return b"".join(_labelled(label, line) for line in lines), rest


def _labelled(label: bytes, line: bytes) -> bytes:
    return line if line.startswith(label) or not line.strip() else label + b": " + line


def _reader(streams: Sequence[int], label: bytes) -> tuple[int, int]:
    """Let a process apart read what is written to `streams`; return it, and a descriptor of where they led to."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    reading, writing = os.pipe()
    before = os.dup(streams[0])
    process = os.fork()
    if not process:
        os.close(writing)
        _read_on(reading, before, label)
    os.close(reading)
    for stream in streams:
        os.dup2(writing, stream)
    os.close(writing)
    return process, before


def _read_on(reading: int, to: int, label: bytes) -> None:
    """Write lines with their label until nobody can print any more, and exit."""
    try:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        rest = b""
        while printed := os.read(reading, READ_BYTES):
            lines, rest = labelled_lines(label, rest, printed)
            _write(to, lines)
        if rest:
            _write(to, _labelled(label, rest + b"\n"))
    finally:
        os._exit(0)


def _write(to: int, text: bytes) -> None:
    with suppress(OSError):  # the disk is full, or nobody reads: the process that prints goes on
        while text:
            text = text[os.write(to, text) :]


def _end(streams: Sequence[tuple[int, int]], readers: Sequence[int]) -> None:
    """Let streams lead to where they led before, and wait for what is still to be read."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    for number, before in streams:
        os.dup2(before, number)
    last = time.monotonic() + LAST_SECONDS
    for reader in readers:
        with suppress(ChildProcessError):
            while os.waitpid(reader, os.WNOHANG) == (0, 0) and time.monotonic() < last:
                time.sleep(0.01)
