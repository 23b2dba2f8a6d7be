"""Samples that consist of several arrays, or of sequences of different lengths: checked, and what is done to each."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from core.data.arrays.conditioned import fits_float32
from core.data.arrays.held_sequences import HeldSequences, JoinedSteps
from core.data.arrays.sample_shapes import in_place_of, of_type, shape_text
from core.data.inputs import LENGTHS, MASK, FieldColumn, FieldName, Fields, InputField
from core.data.mapped import MappedRows
from core.data.sequences import Ragged
from core.data.text.token_ids import TokenIds
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from core.data.options import ScalingName

__all__ = ["FieldArrays", "fields_like", "fields_of", "name_of", "with_fields"]

FieldArrays = Mapping[FieldName, "np.ndarray | Ragged"]
"""Fields as a source gives them: (n, ...) each, or n sequences."""
FieldValues = Tensor | MappedRows | JoinedSteps
"""Samples, or steps of sequences, one after the other."""


CHANNELS = (1, 2, 3, 4)
"""Sizes of a dimension that are taken for the channels of an image."""
LONGER = 2
"""Time has at least this many times as many steps as a signal has channels."""
NUMBERS_AT_ONCE = 2**22
"""In rows that are computed with as float64, some at a time."""


def name_of(name: FieldName) -> str:
    """Return what a field is called in messages."""
    return f"input {name}" if isinstance(name, int) else name


def fields_of(arrays: FieldArrays, place: str) -> Fields:
    """Return fields in the types that are kept of them: pixels, whole numbers and truth values as they are.

    Args:
        place: where they stand, for messages.

    Raises:
        DataError: they have different numbers of samples, or hold what a network does not take.
    """
    columns: dict[FieldName, FieldColumn] = {}
    for name, array in arrays.items():
        where = f"{place}, {name_of(name)}"
        if isinstance(array, Ragged):
            if len(array) and int(array.lengths.min()) == 0:
                empty = int(array.lengths.argmin())
                raise DataError(f"{where}: sample {empty} is an empty sequence", "Leave it out")
            columns[name] = _kept_sequences(array, where)
        elif array.ndim == 0 or array.size == 0:
            raise DataError(
                f"{where} holds no samples: its shape is {shape_text(array)}", "Give one row a sample"
            )
        elif isinstance(array, np.memmap) and array.dtype.kind != "f":
            columns[name] = MappedRows(array, np.arange(len(array)))
        else:
            columns[name] = _kept(array, where, "sample")
    first, *others = columns
    for other in others:
        if len(columns[first]) != len(columns[other]):
            raise DataError(
                f"{place} has {len(columns[first]):,} samples in {name_of(first)} and {len(columns[other]):,} in "
                f"{name_of(other)}",
                "Give as many rows in each",
            )
    fields = Fields(columns)
    clash = {MASK, LENGTHS} & {*columns} if fields.has_sequences else set()
    if clash:
        raise DataError(
            f"{place} has an input of the name {clash.pop()}, which is made for sequences of different lengths",
            "Give it another name",
        )
    return fields


def fields_like(train: Fields, arrays: FieldArrays, place: str) -> Fields:
    """Return the fields of a split, which are those of the training samples, of the same shapes and types.

    Raises:
        DataError: it has others.
    """
    own = fields_of(arrays, place)
    if {*own.columns} != {*train.columns}:
        theirs, ours = (", ".join(map(name_of, each.columns)) for each in (own, train))
        raise DataError(f"{place} has {theirs}, the training samples {ours}", "Give both the same inputs")
    for name, column in own.columns.items():
        other = train.columns[name]
        shapes = [_sample_shape(each) for each in (column, other)]
        if shapes[0] != shapes[1] or _type(column.dtype) != _type(other.dtype):
            theirs, ours = (
                f"{'x'.join(map(str, shape)) or 'one'} {str(each.dtype).removeprefix('torch.')}"
                for shape, each in zip(shapes, (column, other), strict=True)
            )
            raise DataError(
                f"{place}: {name_of(name)} has samples of {theirs}, the training samples have {ours}",
                "Give both the same shape and type",
            )
    return own


def _type(dtype: torch.dtype) -> str:
    """Return what a type is, whatever its precision; bytes may be pixels."""
    if dtype.is_floating_point:
        return "float"
    return str(dtype) if dtype in (torch.uint8, torch.bool) or dtype.is_complex else "whole"


def _sample_shape(column: FieldColumn) -> tuple[int | str, ...]:
    return ("any", *column.step_shape) if isinstance(column, Ragged) else tuple(column.shape[1:])


def _kept_sequences(sequences: Ragged, where: str) -> Ragged:
    """Return sequences in a type that keeps their values; those that lie apart are not joined."""
    if isinstance(sequences, HeldSequences):
        return sequences.of_type(_kept_type(sequences.steps, where, "step"))
    return Ragged(_kept(sequences.values.numpy(), where, "step"), sequences.offsets)


def _kept(array: np.ndarray, where: str, row: str) -> Tensor:
    """Return an array as a tensor of a type that keeps its values."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=_kept_type(array, where, row)))


def _kept_type(array: "np.ndarray | JoinedSteps", where: str, row: str) -> np.dtype:
    """Return the type that keeps the values of an array, float32 where that does, once it is clear that all are finite.

    Args:
        row: what a row of the array is, for messages.
    """
    if array.dtype.kind not in "fiubc":
        raise DataError(f"{where} {of_type(array)}, not numbers", in_place_of(array))
    if array.dtype.kind in "fc":
        for start, rows in _pieces(array):
            if not np.isfinite(rows).all():
                bad = np.flatnonzero(~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1))[0] + start
                raise DataError(
                    f"{where} has NaN or infinite values, first in {row} {bad}",
                    "Fill them, or leave these samples out",
                )
    if array.dtype.kind == "c":
        return np.dtype(np.complex64)
    if array.dtype.kind == "f":
        wide = array.dtype.itemsize > 4 and not fits_float32(_as_rows(array)).all()
        return np.dtype(np.float64 if wide else np.float32)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        if array.dtype.itemsize == 8 and any(
            rows.max(initial=0) > np.iinfo(np.int64).max for _, rows in _pieces(array)
        ):
            raise DataError(f"{where} has whole numbers beyond 2^63", "Give int64")
        return np.dtype(np.int64)
    return array.dtype


def _as_rows(array: "np.ndarray | JoinedSteps") -> "np.ndarray | JoinedSteps":
    return array.flat() if isinstance(array, JoinedSteps) else array.reshape(len(array), -1)


def with_fields(data: "Dataset", scaling: "ScalingName", notes: list[str]) -> "Dataset":
    """Return data of fields with what is done to each of them, which is reported in a line."""
    train, *others = (cast(Fields, split.inputs) for split in data.splits.values())
    fields = described(train, (train, *others), scaling)
    notes.append(_note(fields))
    return replace(data, fields=fields, vocabulary=_vocabulary(fields, train))


def _vocabulary(fields: tuple[InputField, ...], train: Fields) -> TokenIds | None:
    """Return the ids of train, where samples are one sequence of whole numbers each."""
    column = train.columns[fields[0].name]
    if (
        len(fields) > 1
        or not isinstance(column, Ragged)
        or column.step_shape
        or column.dtype.is_floating_point
    ):
        return None
    if column.dtype in (torch.bool, torch.uint8) or not len(column.steps):
        return None
    least, largest = _ends(column.steps)
    return TokenIds(int(largest) + 1) if least >= 0 else None


def described(
    train: Fields, everything: tuple[Fields, ...], scaling: "ScalingName"
) -> tuple[InputField, ...]:
    """Return what is done to each field: floats and pixels are standardised over the training samples.

    Args:
        everything: fields of all splits, for the longest sequences.
        scaling: ``none`` standardises nothing, ``unit`` brings pixels to 0 to 1.
    """
    return tuple(_described(name, train, everything, scaling) for name in train.columns)


def _described(
    name: FieldName, train: Fields, everything: tuple[Fields, ...], scaling: "ScalingName"
) -> InputField:
    column = train.columns[name]
    is_sequence = isinstance(column, Ragged)
    values = column.steps if isinstance(column, Ragged) else column
    shape = tuple(values.shape[1:])
    pixels = column.dtype == torch.uint8 and len(shape) >= 2 and not is_sequence
    value_range = (0.0, 255.0) if pixels else _range(values, column.dtype)
    mean: Tensor | None
    std: Tensor | None
    if pixels and scaling != "standardise":
        low, high = value_range if scaling == "unit" else (0.0, 1.0)
        mean, std = torch.tensor(low), torch.tensor(high - low)
    elif (column.dtype.is_floating_point or pixels) and scaling != "none":
        wide = column.dtype == torch.float64
        mean, std = _moments(values, _channel_axis(shape, pixels), wide=wide)
    else:
        mean, std = None, None
    if is_sequence:
        longest = [int(split.columns[name].lengths.max()) for split in everything if len(split)]  # type: ignore[union-attr]  # as in train
        shape = (max(longest, default=1), *shape)
    return InputField(name, shape, column.dtype, mean, std, is_sequence, value_range)


def _note(fields: tuple[InputField, ...]) -> str:
    """Return in a line what is done to each field, and what sets it."""
    done = ", ".join(f"{field.label} {field.done}" for field in fields)
    choice = "; data.inputs chooses among them" if len(fields) > 1 else ""
    scaled = any(field.mean is not None and field.mean.any() for field in fields)
    return f"inputs: {done}{'; data.scaling=none leaves them as they are' if scaled else ''}{choice}"


def _channel_axis(shape: tuple[int, ...], pixels: bool) -> int | None:
    """Return the dimension of a sample that has a mean and a deviation of its own for each place; None for one of all.

    It is that of columns, of the channels of an image, or the clearly shorter one of two: the channels of a signal.
    """
    if len(shape) == 1:
        return 0
    if len(shape) == 2 and not pixels and max(shape) >= LONGER * min(shape):
        return int(shape[1] < shape[0])
    if len(shape) == 3:
        return 0 if shape[0] in CHANNELS else 2 if shape[2] in CHANNELS else None
    return None


def _moments(values: FieldValues, axis: int | None, *, wide: bool) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of a shape that broadcasts over a sample; a constant gets deviation 1.

    Args:
        wide: as float64, not float32.
    """
    shape = values.shape[1:]
    kept = 1 if axis is None else shape[axis]
    total = values.shape[0] * (int(np.prod(shape)) // max(1, kept))
    at_once = max(1, NUMBERS_AT_ONCE // max(1, int(np.prod(shape))))
    room = torch.empty(min(at_once, values.shape[0]) * int(np.prod(shape)), dtype=torch.float64)
    sums = torch.zeros(kept, dtype=torch.float64)
    for rows in _rows(values, axis, room):
        sums += rows.sum(dim=1)
    mean = sums / max(1, total)
    squares = torch.zeros(kept, dtype=torch.float64)
    for rows in _rows(values, axis, room):
        squares += rows.sub_(mean[:, None]).square_().sum(dim=1)
    std = (squares / max(1, total)).sqrt()
    std = torch.where(std > 0, std, torch.ones_like(std))
    if axis is None:
        return mean[0].float(), std[0].float()
    form = [kept if place == axis else 1 for place in range(len(shape))]
    dtype = torch.float64 if wide else torch.float32
    return mean.view(form).to(dtype), std.view(form).to(dtype)


def _rows(values: FieldValues, axis: int | None, room: Tensor) -> Iterator[Tensor]:
    """Yield some rows at a time, float64 (channels, numbers); they are copies, each in the same memory."""
    for start, size in _steps(tuple(values.shape)):
        rows = torch.as_tensor(values[start : start + size])
        channels = rows[None] if axis is None else rows.movedim(axis + 1, 0)
        yield room[: rows.numel()].view(channels.shape).copy_(channels).flatten(1)


def _range(values: FieldValues, dtype: torch.dtype) -> tuple[float, float]:
    """Return the smallest and the largest value; 0 and 1 where values are not ordered."""
    if dtype.is_complex or dtype == torch.bool or not len(values):
        return 0.0, 1.0
    low, high = map(float, _ends(values))
    return low, high if high > low else low + 1


def _ends(values: FieldValues) -> tuple[float, float]:
    """Return the smallest and the largest of some values."""
    pieces = (torch.as_tensor(values[start : start + size]) for start, size in _steps(tuple(values.shape)))
    ends = [(rows.min().item(), rows.max().item()) for rows in pieces if rows.numel()]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _pieces(array: "np.ndarray | JoinedSteps") -> Iterator[tuple[int, np.ndarray]]:
    for start, size in _steps(array.shape):
        yield start, array[start : start + size]


def _steps(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the starts and the number of rows of pieces that are small enough to compute with."""
    size = max(1, NUMBERS_AT_ONCE // max(1, int(np.prod(shape[1:]))))
    for start in range(0, shape[0], size):
        yield start, size
