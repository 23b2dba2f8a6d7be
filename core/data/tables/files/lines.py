"""Lines of a text file that do not fit its table."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.files.reading import open_regular

__all__ = ["any_ragged", "stray_quote"]

PIECE_BYTES = 1 << 24
"""Bytes of a file that are looked at together."""


def stray_quote(lines: Iterable[str], separator: str) -> int | None:
    """Return the first line with a quotation mark that neither starts nor ends a field, or that has no other end."""
    mark = re.escape(separator)
    stray = re.compile(rf'(?<![{mark}"])"(?![{mark}"])')
    for number, line in enumerate(lines, start=1):
        if line.count('"') % 2 or stray.search(line.rstrip("\r\n")[1:-1]):
            return number
    return None


def any_ragged(path: Path, separator: str, columns: int) -> bool:
    """Return whether some line may have another number of fields; bytes are counted, which is fast."""
    inside = open_marks = open_bytes = 0
    with open_regular(path, follow_links=True) as file:
        while block := file.read(PIECE_BYTES):
            buffer = np.frombuffer(block, np.uint8)
            ends, marks = buffer == ord("\n"), buffer == ord(separator)
            if inside or b'"' in block:
                quoted = (np.add.accumulate(buffer == ord('"'), dtype=np.uint8) + inside) % 2 == 1
                inside = int(quoted[-1])
                ends, marks = ends & ~quoted, marks & ~quoted
            at = np.flatnonzero(ends)
            before = np.searchsorted(np.flatnonzero(marks), at)
            fields = np.diff(before, prepend=-open_marks)
            lengths = np.diff(at, prepend=-1 - open_bytes) - 1
            blank = (lengths == 0) | ((lengths == 1) & (at > 0) & (buffer[at - 1] == ord("\r")))
            if np.any((fields != columns - 1) & ~blank):
                return True
            done, last = (int(before[-1]), int(at[-1]) + 1) if len(at) else (-open_marks, -open_bytes)
            open_marks, open_bytes = int(np.count_nonzero(marks)) - done, len(block) - last
    return open_bytes > 0 and open_marks != columns - 1
