"""Samples of a user's data set read one after the other, each field into one array that is made once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from core.data.arrays.room import LESS, check_room
from core.data.dataset import Progress
from core.data.inputs import FieldName
from core.data.own.values import TAKEN, array_of, is_several, kind_of, refuse_pictures
from core.data.sequences import Ragged
from core.errors import DataError
from core.user_code.loading import as_user_error

__all__ = ["PEAK", "TARGET_KEYS", "names_in", "read_samples", "selected"]

TARGET_KEYS = ("label", "labels", "target", "targets", "y")
"""Keys under which samples that are dicts hold their target."""
REPORTED_EVERY = 1000
PEAK = 1.3
"""Memory that reading takes, in that of the samples: statistics are computed some rows at a time."""
GROWTH = 1.1
"""Room for sequences of different lengths is enlarged by this factor when it is full."""

ONLY = "\0"
"""Name of an input that is one array, before it is known whether lengths differ."""

ReadSamples = tuple[Any, np.ndarray]
"""Inputs, an array or fields, and targets."""


def names_in(samples: Any) -> tuple[str, str] | None:
    """Return what the only input and the target are called in samples that are dicts; None where they are not."""
    first = samples[0] if len(samples) else None
    if not isinstance(first, Mapping):
        return None
    target = next((key for key in TARGET_KEYS if key in first), "target")
    others = [str(key) for key in first if key != target]
    return others[0] if len(others) == 1 else "inputs", target


def read_samples(samples: Any, source: str, progress: Progress) -> ReadSamples:
    """Read all samples: pairs of input and target, or dicts with the target under one of `TARGET_KEYS`.

    Args:
        samples: has a length, and gives a sample for each number.
        source: where they come from, for messages.

    Raises:
        DataError: they are something else, of different shapes, or too many for memory.
        UserCodeError: the user's code fails.
    """
    columns: dict[FieldName | None, _Column] = {}
    number, total = 0, _count(samples, source)
    try:
        for number in range(total):
            parts = _parts(samples[number], number, source)
            if not number:
                check_room(PEAK * total * _bytes_of(parts), _what(total, source))
                columns = {name: _Column(total, value) for name, value in parts.items()}
            if parts.keys() != columns.keys():
                raise DataError(
                    f"data.path: sample {number} of {source} has {_names(parts)}, sample 0 {_names(columns)}",
                    "Give the same of each sample",
                )
            for name, value in parts.items():
                columns[name].add(number, value, source)
            if number % REPORTED_EVERY == 0:
                progress(f"reading {source}", number, total)
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{_what(total, source)} take more memory than is free", LESS) from None
    except Exception as error:  # the user's own code raises whatever it likes
        raise as_user_error(error) or DataError(
            f"data.path: sample {number} of {source}: {type(error).__name__}: {error}"
        ) from None
    if not columns:
        return np.empty((0, 1)), np.empty(0)
    targets = columns.pop(None).whole()
    if isinstance(targets, Ragged):
        raise DataError(
            f"data.path: targets of {source} have different shapes", "Give one class or one number per sample"
        )
    fields = {name: column.whole() for name, column in columns.items()}
    only = next(iter(fields.values())) if [*fields] != [0] and len(fields) == 1 else None
    return (only if isinstance(only, np.ndarray) else {0: only} if only is not None else fields), targets


def selected(inputs: Any, chosen: str) -> Any:
    """Return the fields that ``data.inputs`` names, separated by commas; a single array alone.

    Raises:
        DataError: there is none of such a name.
    """
    names = [name.strip() for name in chosen.split(",") if name.strip()]
    if not names:
        return inputs
    if not isinstance(inputs, Mapping):
        raise DataError(f"data.inputs: got {chosen}, but samples have one input", "Leave it empty")
    by_text = {str(name): name for name in inputs}
    wrong = next((name for name in names if name not in by_text), None)
    if wrong is not None:
        raise DataError(
            f"data.inputs: samples have no input '{wrong}'", f"Known are {', '.join(map(str, inputs))}"
        )
    kept = [by_text[name] for name in names]
    if len(kept) == 1:
        only = inputs[kept[0]]
        return only if isinstance(only, np.ndarray) else {kept[0]: only}
    numbered = isinstance(kept[0], int)
    return {place if numbered else name: inputs[name] for place, name in enumerate(kept)}


class _Column:
    """One field of samples that come one after the other: an array, or sequences once lengths differ."""

    def __init__(self, total: int, first: np.ndarray) -> None:
        self._total = total
        self._values = np.empty((total, *first.shape), first.dtype)
        self._lengths: list[int] | None = None
        self._used = 0

    def add(self, number: int, value: np.ndarray, source: str) -> None:
        """Take the next sample."""
        if value.dtype != self._values.dtype:
            wider = np.result_type(self._values, value)
            if wider != self._values.dtype:
                check_room(self._values.size * wider.itemsize, _what(self._total, source))
                self._values = self._values.astype(wider)
        if self._lengths is None and value.shape == self._values.shape[1:]:
            self._values[number] = value
            return
        if self._lengths is None:
            self._become_sequences(number, value, source)
        if value.shape[1:] != self._values.shape[1:] or not value.ndim:
            raise _different(value.shape, ("any", *self._values.shape[1:]), source)
        self._append(value, source)

    def whole(self) -> "np.ndarray | Ragged":
        """Return all samples."""
        if self._lengths is None:
            return self._values
        self._resize(self._used)
        offsets = torch.from_numpy(np.cumsum([0, *self._lengths], dtype=np.int64))
        return Ragged(torch.from_numpy(self._values), offsets)

    def _become_sequences(self, number: int, value: np.ndarray, source: str) -> None:
        """Take what was read for sequences of one length; their steps lie one after the other already."""
        shape = self._values.shape[1:]
        if value.ndim == len(shape):
            refuse_pictures(value, source)
        if not shape or value.ndim != len(shape) or value.shape[1:] != shape[1:]:
            raise _different(value.shape, shape, source)
        self._lengths = [shape[0]] * number
        self._used = number * shape[0]
        self._values.resize((self._total * shape[0], *shape[1:]), refcheck=False)

    def _append(self, value: np.ndarray, source: str) -> None:
        assert self._lengths is not None
        end = self._used + len(value)
        if end > len(self._values):
            steps = max(end, int(GROWTH * len(self._values)))
            more = (steps - len(self._values)) * max(1, self._values[:1].nbytes)
            check_room(more, _what(self._total, source))
            self._resize(steps)
        self._values[self._used : end] = value
        self._used = end
        self._lengths.append(len(value))

    def _resize(self, steps: int) -> None:
        """Give the sequences room for so many steps: large memory grows and shrinks where it lies."""
        shape = self._values.shape[1:]
        self._values.resize((steps, *shape), refcheck=False)  # nothing else refers to it


def _parts(sample: Any, number: int, source: str) -> dict[FieldName | None, np.ndarray]:
    """Return the fields of a sample by name or position, and its target under None."""
    where = f"sample {number} of {source}"
    if isinstance(sample, Mapping):
        targets = [key for key in TARGET_KEYS if key in sample]
        if len(targets) != 1 or len(sample) < 2:
            raise DataError(
                f"data.path: {where} is a dict of {', '.join(map(str, sample)) or 'nothing'}, in which one of "
                f"{', '.join(TARGET_KEYS)} should be the target",
                "Return (inputs, target), where inputs may be a dict",
            )
        inputs: Any = {key: value for key, value in sample.items() if key != targets[0]}
        target = sample[targets[0]]
    elif isinstance(sample, tuple | list) and len(sample) == 2:
        inputs, target = sample
    else:
        more = " ((a, b), target) for several inputs" if isinstance(sample, tuple | list) else ""
        raise DataError(
            f"data.path: {where} is {kind_of(sample)}, not input and target",
            f"Return (input, target), or{more}" if more else TAKEN,
        )
    if isinstance(target, Mapping) or is_several(target):
        raise DataError(
            f"data.path: {where} has {kind_of(target)} as its target",
            "One class, one number or one array is learnt: give one of them",
        )
    named: dict[FieldName, Any]
    if isinstance(inputs, Mapping):
        named = {str(key): value for key, value in inputs.items()}
    else:
        named = dict(enumerate(inputs)) if is_several(inputs) else {ONLY: inputs}
    arrays: dict[FieldName | None, np.ndarray] = {
        name: array_of(value, where) for name, value in named.items()
    }
    return {**arrays, None: array_of(target, where)}


def _count(samples: Any, source: str) -> int:
    """Return how many samples there are."""
    try:
        return len(samples)
    except Exception as error:  # the user's own code raises whatever it likes
        raise as_user_error(error) or DataError(
            f"data.path: the length of {source}: {type(error).__name__}: {error}",
            "Let __len__ return the number of samples",
        ) from None


def _names(parts: Mapping[FieldName | None, Any]) -> str:
    names = [str(name) for name in parts if name not in (None, ONLY)]
    return f"the inputs {', '.join(names)}" if names else "one input"


def _different(one: tuple[Any, ...], other: tuple[Any, ...], source: str) -> DataError:
    shapes = " and ".join(sorted("x".join(map(str, shape)) or "a number" for shape in (one, other)))
    return DataError(
        f"data.path: samples of {source} have the shapes {shapes}",
        "Give all the same shape; sequences may differ in their first dimension, and are padded",
    )


def _bytes_of(parts: Mapping[Any, np.ndarray]) -> int:
    return max(1, sum(part.nbytes for part in parts.values()))


def _what(total: int, source: str) -> str:
    return f"data.path: {total:,} samples of {source}"
