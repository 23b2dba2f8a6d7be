"""Samples that consist of several tensors, and the inputs that a batch of them gives to a network.

A batch's inputs are a tensor, a tuple of tensors where samples are tuples, or a dict of them by name. Sequences of
different lengths are padded, and come with ``mask``, bool (b, longest) that is true where there are values, and
``lengths``, int64 (b,); they make a dict of a tuple, whose keys are the positions 0, 1, ...
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from core.data.mapped import MappedRows, is_on_disk
from core.data.sequences import Ragged

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LENGTHS",
    "MASK",
    "FieldColumn",
    "FieldName",
    "Fields",
    "InputField",
    "Inputs",
    "as_inputs",
    "joined",
    "map_inputs",
    "padding_names",
    "padding_of",
    "split_inputs",
    "tensors_of",
    "zero_inputs",
]

FieldName = str | int
"""Name of a tensor of a sample, or its position where samples are tuples."""
Inputs = Tensor | tuple[Tensor, ...] | dict[FieldName, Tensor]
FieldColumn = Tensor | MappedRows | Ragged
"""One field of all samples."""
MASK, LENGTHS = "mask", "lengths"

Row = TypeVar("Row", bound=FieldColumn)


@dataclass(frozen=True, eq=False)
class InputField:
    """One of the tensors that a sample consists of, and what is done to it.

    Attributes:
        name: as the network takes it: by name, or by position.
        shape: of one sample; of sequences that of the longest one in the data.
        dtype: of the source.
        mean, std: what it is standardised with, of a shape that broadcasts over one sample or one step; None where the
            network gets it as it is.
        is_sequence: samples have different lengths, and are padded.
        value_range: smallest and largest value, for showing it.
    """

    name: FieldName
    shape: tuple[int, ...]
    dtype: torch.dtype
    mean: Tensor | None = None
    std: Tensor | None = None
    is_sequence: bool = False
    value_range: tuple[float, float] = (0.0, 1.0)

    @property
    def fed_dtype(self) -> torch.dtype:
        """Type that the network gets: float32, int64 for whole numbers as they are, bool or complex64."""
        if self.mean is not None or self.dtype.is_floating_point:
            return torch.float32
        if self.dtype.is_complex:
            return torch.complex64
        return torch.bool if self.dtype == torch.bool else torch.int64

    @property
    def label(self) -> str:
        """Name and shape, for messages: ``image (1x8x8)``."""
        return f"{self.title} ({self._sizes or 'one number'})"

    @property
    def title(self) -> str:
        """Name, for messages."""
        return f"input {self.name}" if isinstance(self.name, int) else self.name

    @property
    def form(self) -> str:
        """Shape and type of the source: ``1x8x8 uint8``."""
        return f"{self._sizes} {str(self.dtype).removeprefix('torch.')}".strip()

    @property
    def done(self) -> str:
        """Preprocessing, in words: ``standardised by channel``, or ``as they are, int64``."""
        unchanged = (
            self.mean is None or self.std is None or bool((self.mean == 0).all() & (self.std == 1).all())
        )
        if unchanged or self.mean is None:
            return f"as they are, {str(self.fed_dtype).removeprefix('torch.')}"
        if self.mean.numel() == 1:
            return "standardised"
        return f"standardised by {'column' if self.mean.ndim == 1 else 'channel'}"

    @property
    def _sizes(self) -> str:
        sizes = [str(size) for size in self.shape]
        if self.is_sequence:
            sizes[0] = f"up to {sizes[0]}"
        return "x".join(sizes)

    def plain(self) -> dict[str, Any]:
        """Return plain values, fit for JSON, which `from_plain` reads back."""
        values = {key: getattr(self, key) for key in ("name", "shape", "is_sequence", "value_range")}
        for key, value in (("mean", self.mean), ("std", self.std)):
            values[key] = None if value is None else value.tolist()
        wide = self.mean is not None and self.mean.dtype == torch.float64
        return {**values, "wide": wide, "dtype": str(self.dtype).removeprefix("torch.")}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> "InputField":
        """Return what plain values describe.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: they describe none.
        """
        dtype = torch.float64 if values["wide"] else torch.float32
        mean, std = (
            None if values[key] is None else torch.tensor(values[key], dtype=dtype) for key in ("mean", "std")
        )
        low, high = values["value_range"]
        return cls(
            values["name"],
            tuple(values["shape"]),
            getattr(torch, values["dtype"]),
            mean,
            std,
            bool(values["is_sequence"]),
            (low, high),
        )

    def empty(self) -> FieldColumn:
        """Return the field of no samples."""
        if not self.is_sequence:
            return torch.zeros(0, *self.shape, dtype=self.dtype)
        return Ragged(torch.zeros(0, *self.shape[1:], dtype=self.dtype), torch.zeros(1, dtype=torch.int64))

    def to(self, device: torch.device) -> "InputField":
        """Return the field with its statistics on a device."""
        if self.mean is None or self.std is None:
            return self
        return replace(self, mean=self.mean.to(device), std=self.std.to(device))

    def prepared(self, values: Tensor) -> Tensor:
        """Return values as the network gets them, a new tensor; they lie on the device of the statistics."""
        if self.mean is None or self.std is None:
            return values.to(self.fed_dtype, copy=True)
        # in float64 where the values need it: what is left of them fits into float32
        return values.to(self.mean.dtype, copy=True).sub_(self.mean).div_(self.std).float()


class Fields:
    """Samples that consist of several tensors, or of sequences of different lengths, indexed as a tensor of rows is.

    Args:
        columns: each field of all samples; names are all texts, or the positions 0, 1, ...
    """

    def __init__(self, columns: Mapping[FieldName, FieldColumn]) -> None:
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def is_mapped(self) -> bool:
        """Return whether some rows are read from disk when they are asked for."""
        return any(map(is_on_disk, self.columns.values()))

    @property
    def has_sequences(self) -> bool:
        """Return whether lengths differ between samples."""
        return any(isinstance(column, Ragged) for column in self.columns.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all fields, in memory or not."""
        return sum(column.nbytes for column in self.columns.values())

    def __getitem__(self, at: "slice | Tensor | np.ndarray") -> "Fields":
        """Return some samples; those of fields on disk are read."""
        return self._each(lambda column: _rows(column, at))

    def index_select(self, dim: int, at: Tensor) -> "Fields":
        """Return the samples at these positions; `dim` is 0, as for a tensor of rows."""
        return self._each(lambda column: column.index_select(0, at))

    def to(self, device: torch.device, non_blocking: bool = False) -> "Fields":
        """Return the samples on a device; fields on disk stay there."""

        return self._each(
            lambda column: column if is_on_disk(column) else column.to(device, non_blocking=non_blocking)
        )

    def pin_memory(self) -> "Fields":
        """Return the samples in memory from which a GPU copies fast."""
        return self._each(lambda column: column if isinstance(column, MappedRows) else column.pin_memory())

    def one(self, at: int) -> dict[FieldName, Tensor]:
        """Return the fields of one sample."""
        return {
            name: column.one(at) if isinstance(column, Ragged) else torch.as_tensor(column[at])
            for name, column in self.columns.items()
        }

    def batch(self, fields: "tuple[InputField, ...]") -> Inputs:
        """Return all samples as a network gets them, prepared and padded.

        Args:
            fields: what is done to each column, in their order.
        """
        made: dict[FieldName, Tensor] = {}
        lengths: dict[FieldName, Tensor] = {}
        for field in fields:
            column = self.columns[field.name]
            if isinstance(column, Ragged):
                prepared = Ragged(field.prepared(column.values), column.offsets)
                made[field.name], lengths[field.name] = prepared.padded()
            else:
                made[field.name] = field.prepared(column[:])
        return as_inputs(made, lengths)

    def _each(self, change: "Callable[[Any], Any]") -> "Fields":
        return Fields({name: change(column) for name, column in self.columns.items()})


def _rows(column: FieldColumn, at: "slice | Tensor | np.ndarray") -> FieldColumn:
    if isinstance(column, Tensor) and isinstance(at, np.ndarray):
        at = torch.from_numpy(at)
    if isinstance(column, MappedRows) and isinstance(at, Tensor):
        at = at.numpy()
    return column[at]


def joined(parts: Sequence[Any]) -> Any:
    """Return the samples of several parts one after the other: tensors, sequences, or fields of them; at least one."""
    first = parts[0]
    if isinstance(first, Fields):
        return Fields({name: joined([part.columns[name] for part in parts]) for name in first.columns})
    if isinstance(first, Ragged):
        lengths = torch.cat([part.lengths for part in parts])
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        return Ragged(torch.cat([part.values for part in parts]), offsets)
    return torch.cat([*parts])


def map_inputs(change: Callable[[Tensor], Tensor], inputs: Inputs) -> Inputs:
    """Return inputs with each of their tensors changed."""
    if isinstance(inputs, Tensor):
        return change(inputs)
    if isinstance(inputs, dict):
        return {name: change(tensor) for name, tensor in inputs.items()}
    return tuple(change(tensor) for tensor in inputs)


def tensors_of(inputs: Inputs) -> list[Tensor]:
    """Return the tensors that inputs consist of."""
    if isinstance(inputs, Tensor):
        return [inputs]
    return list(inputs.values()) if isinstance(inputs, dict) else list(inputs)


def split_inputs(inputs: Inputs, size: int) -> "Iterable[Inputs]":
    """Return the inputs of `size` samples each; the last part may be smaller."""
    if isinstance(inputs, Tensor):
        return torch.split(inputs, size)
    parts = zip(*(torch.split(tensor, size) for tensor in tensors_of(inputs)), strict=True)
    return (dict(zip(inputs, part, strict=True)) for part in parts) if isinstance(inputs, dict) else parts


def zero_inputs(
    sample_shape: tuple[int, ...],
    samples: int,
    fields: tuple[InputField, ...] = (),
    *,
    ids: bool = False,
    device: torch.device | None = None,
) -> Inputs:
    """Return inputs of zeros for so many samples, to try a network on.

    Args:
        sample_shape: of one sample, where it is one tensor; int64 if it holds `ids`.
        fields: of samples of several tensors.
    """
    if not fields:
        return torch.zeros(samples, *sample_shape, dtype=torch.int64 if ids else torch.float32, device=device)
    made: dict[FieldName, Tensor] = {
        field.name: torch.zeros(samples, *field.shape, dtype=field.fed_dtype, device=device)
        for field in fields
    }
    lengths: dict[FieldName, Tensor] = {
        field.name: torch.full((samples,), field.shape[0], device=device)
        for field in fields
        if field.is_sequence
    }
    return as_inputs(made, lengths)


def as_inputs(made: dict[FieldName, Tensor], lengths: dict[FieldName, Tensor]) -> Inputs:
    """Return prepared fields as a tuple or a dict, with the masks and lengths of those that were padded."""
    if not lengths:
        return made if isinstance(next(iter(made)), str) else tuple(made.values())
    masks: dict[FieldName, Tensor] = {}
    for name, of_one in lengths.items():
        steps = torch.arange(made[name].shape[1], device=of_one.device)
        mask_name, lengths_name = padding_names(name, alone=len(lengths) == 1)
        masks |= {mask_name: steps < of_one[:, None], lengths_name: of_one}
    return {**made, **masks}


def padding_names(name: FieldName, *, alone: bool) -> tuple[str, str]:
    """Return what mask and lengths of a field are called: by its name, unless it is the only one that is padded."""
    if alone:
        return MASK, LENGTHS
    return (
        (f"{MASK}_{name}", f"{LENGTHS}_{name}")
        if isinstance(name, int)
        else (f"{name}_{MASK}", f"{name}_{LENGTHS}")
    )


def padding_of(inputs: Inputs) -> set[FieldName]:
    """Return the names of masks and lengths among inputs."""
    if not isinstance(inputs, dict):
        return set()
    pairs = [(MASK, LENGTHS)] + [padding_names(name, alone=False) for name in inputs]
    return {each for pair in pairs if pair[0] in inputs and pair[1] in inputs for each in pair}
