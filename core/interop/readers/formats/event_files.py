"""Event files of TensorBoard, read block by block with NumPy: the scalars, and where images, texts and histograms are.

A record is its length (8 bytes), a checksum of that (4), the event (a protobuf message) and a checksum of it (4).
Events that have the same layout are read together; checksums are CRC-32C, masked as in
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/hash/crc32c.h.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.interop.readers.formats.event_media import BoardItem, item_in
from core.interop.readers.formats.protobuf import ByteSource, fields, inside, varint

__all__ = ["Block", "Items", "Scalars", "items_of", "read_block"]

FRAME = 16
"""Bytes of a record beside its event."""
MAX_EVENT = 1 << 16
"""Bytes; longer ones are pictures and the like, not numbers. Their checksums are not looked at."""
MAX_LAYOUTS = 16
"""Layouts of one length that are read together; the events of others one by one."""
NUMBERS = {1: ("<f4", 4), 2: ("<f8", 8), 3: ("<i4", 4), 9: ("<i8", 8)}
"""NumPy's type and the bytes of the types of tensors that are read."""
HPARAMS = b"_hparams_/session_start_info"

Bytes = NDArray[np.uint8]
"""Shape (n, m)."""


class Scalars(NamedTuple):
    """Numbers of one block in their order: place in the file, seconds since 1970, step, value; and their tags."""

    places: NDArray[np.int64]
    times: NDArray[np.float64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    tags: list[str]


class Items(NamedTuple):
    """Images, texts and histograms of an event: its time, its step, and what there is."""

    time: float
    step: int
    items: list[BoardItem]


@dataclass
class Block:
    """Content of a block of an event file.

    Attributes:
        end: bytes of whole records. skip: bytes of the record behind it, if that is too long to be one of numbers.
        items: images, texts and histograms, in the order of the file.
        settings: hyper-parameters by name.
        damaged: records whose checksum is wrong, which are left out.
        is_broken: what follows `end` is no record: the file cannot be read on.
    """

    end: int = 0
    skip: int = 0
    scalars: list[Scalars] = field(default_factory=list)
    items: list[Items] = field(default_factory=list)
    settings: dict[str, float | str | bool] = field(default_factory=dict)
    damaged: int = 0
    is_broken: bool = False


def _table() -> NDArray[np.uint32]:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(0x82F63B78), values >> 1)
    return values


TABLE = _table()


def _checksums(rows: Bytes) -> NDArray[np.uint32]:
    """Return the masked CRC-32C of each row."""
    value = np.full(len(rows), 0xFFFFFFFF, dtype=np.uint32)
    for column in np.ascontiguousarray(rows.T):
        value = TABLE[(value ^ column) & 0xFF] ^ (value >> np.uint32(8))
    value = ~value
    return ((value >> np.uint32(15)) | (value << np.uint32(17))) + np.uint32(0xA282EAD8)


def read_block(data: bytes) -> Block:
    """Return the scalars of the whole records at the beginning of some bytes."""
    block = Block()
    starts, lengths = _records(data, block)
    everything = np.frombuffer(data, dtype=np.uint8)
    for length in np.unique(lengths):
        of_length = starts[lengths == length]
        if length > MAX_EVENT:
            for start in of_length.tolist():
                block.items += items_of(data, start + 12, start + 12 + int(length))
            continue
        events = everything[of_length[:, None] + np.arange(12, 12 + length)]
        stated = everything[of_length[:, None] + np.arange(12 + length, 16 + length)].view("<u4")[:, 0]
        whole = _checksums(events) == stated
        block.damaged += int((~whole).sum())
        _read_alike(events[whole], of_length[whole], block)
    block.items.sort(key=lambda each: each.items[0].start)
    return block


def items_of(data: ByteSource, start: int, end: int) -> list[Items]:
    """Return the images, texts and histograms of an event, if it has some: a list of one, or none."""
    try:
        spans = {number: (first, last) for number, first, last in fields(data, start, end)}
        if 5 not in spans:
            return []
        values = [(first, last) for number, first, last in fields(data, *spans[5]) if number == 1]
        items = [item for span in values if (item := item_in(data, *span)) is not None]
        step = _signed(varint(data, *spans[2])[0]) if 2 in spans else 0
        time = struct.unpack("<d", data[slice(*spans[1])])[0] if 1 in spans else 0.0
    except (KeyError, ValueError, IndexError, struct.error):
        return []
    return [Items(time, step, items)] if items and step >= 0 else []


def _records(data: bytes, block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places and lengths of the whole records; note in the block where they end, and why."""
    unpack, at, size = struct.Struct("<Q").unpack_from, 0, len(data)
    starts, lengths = list[int](), list[int]()
    length = 0
    while at + 12 <= size:
        (length,) = unpack(data, at)
        if at + FRAME + length > size:
            break
        starts.append(at)
        lengths.append(length)
        at += FRAME + length
    found = np.array([*starts, at] if at + 12 <= size else starts, dtype=np.int64)
    if found.size:
        heads = np.frombuffer(data, dtype=np.uint8)[found[:, None] + np.arange(12)]
        wrong = np.flatnonzero(
            _checksums(heads[:, :8]) != np.ascontiguousarray(heads[:, 8:]).view("<u4")[:, 0]
        )
        if wrong.size:
            block.is_broken = True
            at = int(found[wrong[0]])
            del starts[wrong[0] :], lengths[wrong[0] :]
    block.end = at
    if not block.is_broken and at + 12 <= size and length > MAX_EVENT:
        block.skip = FRAME + length
    return np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)


def _read_alike(events: Bytes, places: NDArray[np.int64], block: Block) -> None:
    """Read events of one length: those of the same layout at once."""
    left = np.arange(len(events))
    for _ in range(MAX_LAYOUTS):
        if not left.size:
            return
        first = events[left[0]]
        layout = _layout_of(first.tobytes())
        if layout is None:
            _read_other(first.tobytes(), int(places[left[0]]), block)
            left = left[1:]
            continue
        rest = events[left]
        same = (rest[:, layout.fixed] == first[layout.fixed]).all(axis=1)
        if layout.step is not None:
            same &= ((rest[:, layout.step] ^ first[layout.step]) < 128).all(axis=1)
        block.scalars.append(layout.read(rest[same], places[left[same]]))
        left = left[~same]
    for each in left:
        event, place = events[each], int(places[each])
        layout = _layout_of(event.tobytes())
        if layout is None:
            _read_other(event.tobytes(), place, block)
        else:
            block.scalars.append(layout.read(event[None], np.array([place])))


class _Layout(NamedTuple):
    """Places of the time, the step and the value in an event with one scalar; `fixed` are all the other bytes."""

    time: slice | None
    step: slice | None
    value: slice
    kind: str
    tag: str
    fixed: NDArray[np.bool_]

    def read(self, events: Bytes, places: NDArray[np.int64]) -> Scalars:
        """Return the scalars of events of this layout."""
        count = len(events)
        times = np.zeros(count) if self.time is None else _as(events[:, self.time], "<f8")
        steps = np.zeros(count, dtype=np.int64)
        if self.step is not None:
            for place, column in enumerate(events[:, self.step].T):
                steps |= (column & 0x7F).astype(np.int64) << np.int64(7 * place)
        values = _as(events[:, self.value], self.kind).astype(np.float64)
        return Scalars(places, times, steps, values, [self.tag] * count)


def _as(columns: Bytes, kind: str) -> NDArray[np.float64]:
    return np.ascontiguousarray(columns).view(kind)[:, 0]


def _layout_of(event: bytes) -> _Layout | None:
    """Return the layout of an event with one scalar and nothing else; None for any other."""
    try:
        spans = {number: (start, end) for number, start, end in fields(event, 0, len(event))}
        (number, start, end), *more = fields(event, *spans[5])
        if more or number != 1 or spans.keys() - {1, 2, 5}:
            return None
        value = {number: (start, end) for number, start, end in fields(event, start, end)}
        tag = event[slice(*value[1])].decode(errors="replace")
        if 2 in value:
            kind, where = "<f4", slice(*value[2])
        else:
            kind, where = _number_in(event, *value[8])
    except (KeyError, ValueError, IndexError):
        return None
    fixed = np.ones(len(event), dtype=bool)
    time, step = (slice(*spans[number]) if number in spans else None for number in (1, 2))
    for part in (time, step, where):
        if part is not None:
            fixed[part] = False
    return _Layout(time, step, where, kind, tag, fixed)


def _number_in(event: bytes, start: int, end: int) -> tuple[str, slice]:
    """Return the type and the place of the number of a tensor.

    Raises:
        ValueError: it holds several, or none.
        KeyError: they are of another type.
    """
    spans = {number: (first, last) for number, first, last in fields(event, start, end)}
    kind, size = NUMBERS[varint(event, *spans[1])[0]]
    for number in (4, 5, 6):  # its bytes, floats or doubles
        if number in spans:
            first, last = spans[number]
            if (
                last - first == size
                and not (number == 5 and kind != "<f4")
                and not (number == 6 and kind != "<f8")
            ):
                return kind, slice(first, last)
    raise ValueError("not a number")


def _read_other(event: bytes, place: int, block: Block) -> None:
    """Read what is no event of one scalar: several scalars, or hyper-parameters."""
    try:
        spans = {number: (start, end) for number, start, end in fields(event, 0, len(event))}
        step = _signed(varint(event, *spans[2])[0]) if 2 in spans else 0
        if HPARAMS in event:
            block.settings |= dict(_hparams(event, spans[5]))
            return
        time = struct.unpack_from("<d", event, spans[1][0])[0] if 1 in spans else 0.0
        for number, start, end in fields(event, *spans[5]) if 5 in spans else ():
            if number == 1 and (found := _scalar_in(event, start, end)) is not None:
                tag, value = found
                numbers = np.array([place]), np.array([time]), np.array([step]), np.array([value])
                block.scalars.append(Scalars(*numbers, [tag]))
        for found_items in items_of(event, 0, len(event)):
            moved = [item._replace(start=item.start + place + 12) for item in found_items.items]
            block.items.append(found_items._replace(items=moved))
    except (KeyError, ValueError, IndexError, struct.error):
        block.damaged += 1


def _scalar_in(event: bytes, start: int, end: int) -> tuple[str, float] | None:
    value = {number: (first, last) for number, first, last in fields(event, start, end)}
    try:
        kind, where = ("<f4", slice(*value[2])) if 2 in value else _number_in(event, *value[8])
        return event[slice(*value[1])].decode(errors="replace"), float(np.frombuffer(event[where], kind)[0])
    except (KeyError, ValueError):
        return None


def _hparams(event: bytes, summary: tuple[int, int]) -> Iterator[tuple[str, float | str | bool]]:
    """Yield the hyper-parameters in the metadata of the values of a summary."""
    for _, *value in fields(event, *summary):
        for path in inside(
            event, tuple(value), 9, 1, 2, 3, 1
        ):  # metadata, plugin, its content, start of a session
            entry = {number: (start, end) for number, start, end in fields(event, *path)}
            name = event[slice(*entry[1])].decode(errors="replace")
            for number, start, end in fields(event, *entry[2]):
                if number == 2:
                    value = struct.unpack_from("<d", event, start)[0]
                    yield name, int(value) if value.is_integer() else value
                elif number == 3:
                    yield name, event[start:end].decode(errors="replace")
                elif number == 4:
                    yield name, bool(varint(event, start, end)[0])


def _signed(value: int) -> int:
    """Return a number of 64 bits as protobuf means it."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
