"""A text file of lines that another program writes, followed while it grows."""

import os
import time
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.files.reading import open_regular

__all__ = ["GrowingLines", "NewLines", "first_lines"]

BLOCK_BYTES = 1 << 22
KNOWN_BYTES = 256
"""Of the beginning and before the place read to: where they have changed, the file was written anew."""
SETTLED_SECONDS = 10.0
"""Age of a file whose last line counts although it has no end."""


@dataclass(frozen=True)
class NewLines:
    """New whole lines of a file, without their ends.

    Attributes:
        modified: when the file was written last, in seconds since 1970.
        anew: the file was written anew; these are its first lines.
    """

    lines: list[str] = field(default_factory=list)
    modified: float = 0.0
    anew: bool = False
    problems: list[str] = field(default_factory=list)


class GrowingLines:
    """Reads what was appended since the last call; a file that was written anew is read from its start.

    Attributes:
        offset: bytes read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_broken = False
        self.rewind()

    def rewind(self) -> None:
        """Start over with the next call."""
        self.offset = 0
        self._head = self._before = b""

    def read(self) -> NewLines:
        """The lines since the last call, of at most some megabytes; a line without its end waits."""
        try:
            with open_regular(self.path, follow_links=True) as file:
                found = os.fstat(file.fileno())
                anew = self._has_changed(file.read(KNOWN_BYTES), found.st_size)
                file.seek(max(0, self.offset - len(self._before)))
                anew = anew or file.read(len(self._before)) != self._before
                if anew:
                    self.rewind()
                    self._is_broken = False
                file.seek(0)
                self._head = file.read(KNOWN_BYTES)
                file.seek(self.offset)
                data = b"" if self._is_broken else file.read(BLOCK_BYTES)
        except OSError:
            return NewLines()
        encoding = _encoding_of(self._head)
        whole = _whole_lines(data, encoding)
        problems = list[str]()
        if not whole and len(data) == BLOCK_BYTES:
            self._is_broken = True
            problems.append(
                f"{self.path.name} has a line of over {BLOCK_BYTES >> 20} MB: it cannot be read on from there"
            )
        elif not whole and time.time() - found.st_mtime > SETTLED_SECONDS:
            whole = data
        self.offset += len(whole)
        self._before = (self._before + whole)[-KNOWN_BYTES:]
        text = whole.decode(encoding, errors="replace")
        return NewLines([*_split(text)], found.st_mtime, anew, problems)

    def _has_changed(self, head: bytes, size: int) -> bool:
        return size < self.offset or not head.startswith(self._head[: self.offset])


def first_lines(path: Path, count: int, limit: int = 1 << 16) -> list[str]:
    """Return the first whole lines of a file; none if it cannot be read, or holds no text."""
    try:
        with open_regular(path, follow_links=True) as file:
            data = file.read(limit)
    except OSError:
        return []
    encoding = _encoding_of(data)
    if len(data) == limit:
        data = _whole_lines(data, encoding)
    text = data.decode(encoding, errors="replace")
    return [] if "\0" in text else [*_split(text)][:count]


def _encoding_of(head: bytes) -> str:
    """Return the encoding that a file's first bytes mark; UTF-8 where they mark none."""
    return {BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}.get(head[:2], "utf-8")


def _whole_lines(data: bytes, encoding: str) -> bytes:
    """Return the data up to its last line end: a line feed, or a carriage return where there is none."""
    for end in ("\n".encode(encoding), "\r".encode(encoding)):
        if end in data:
            return data[: data.rfind(end) + len(end)]
    return b""


def _split(text: str) -> Iterator[str]:
    """Yield the lines that are not empty; only line feeds end one, or carriage returns where there are none."""
    ends = "\n" if "\n" in text else "\r"
    return (line for raw in text.removeprefix("\ufeff").split(ends) if (line := raw.strip("\r\0")).strip())
