"""The wire format of protobuf messages: fields by number, without the schema.

See https://protobuf.dev/programming-guides/encoding/.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, Protocol, overload

__all__ = ["ByteSource", "FileBytes", "fields", "inside", "varint"]


class ByteSource(Protocol):
    """Bytes by place: `bytes`, or a file of which only those that are asked for are read."""

    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...


class FileBytes:
    """The bytes of an open file, read where they are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._handle = file.fileno()

    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...
    def __getitem__(self, place: int | slice, /) -> int | bytes:
        if isinstance(place, slice):
            return os.pread(self._handle, place.stop - place.start, place.start)
        return os.pread(self._handle, 1, place)[0]


def inside(event: ByteSource, span: tuple[int, ...], *numbers: int) -> Iterator[tuple[int, int]]:
    """Yield the spans that a path of field numbers leads to."""
    if not numbers:
        yield span[0], span[1]
        return
    for number, start, end in fields(event, span[0], span[1]):
        if number == numbers[0]:
            yield from inside(event, (start, end), *numbers[1:])


def fields(data: ByteSource, at: int, end: int) -> list[tuple[int, int, int]]:
    """Return the fields of a protobuf message: number, and where its content starts and ends.

    Raises:
        ValueError: it is not a message.
    """
    found = []
    while at < end:
        key, at = varint(data, at, end)
        kind, start = key & 7, at
        if kind == 0:
            _, at = varint(data, at, end)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, start = varint(data, at, end)
            at = start + length
        else:
            raise ValueError("a group")
        if at > end:
            raise ValueError("it is cut")
        found.append((key >> 3, start, at))
    return found


def varint(data: ByteSource, at: int, end: int) -> tuple[int, int]:
    """Return a number and the place behind it."""
    value = 0
    for place in range(at, min(end, at + 10)):
        byte = data[place]
        value |= (byte & 0x7F) << 7 * (place - at)
        if byte < 128:
            return value, place + 1
    raise ValueError("it is cut")
