"""Results of a user's function as arrays: arrays, tensors or a torch data set, or train and test of these."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import TensorDataset

from core.data.arrays.given import Given, Pair
from core.data.dataset import Progress, no_progress
from core.data.own.answers import is_read_one_by_one, is_table_of_samples, sets_in
from core.data.own.handover import may_be_handed_over
from core.data.own.reading import names_in, read_samples, selected
from core.data.own.values import array_of, column_of, is_several, refuse_lists_of_labels
from core.data.sequences import Ragged
from core.errors import DataError

__all__ = ["attributes_of", "collect", "own_weights", "seeded"]

READ_AGAIN = 8
"""First samples that are read twice: a random flip leaves one of two as it is."""
FEW_NAMES = 5
ONCE = (
    "samples differ when they are read twice, as with random augmentation; each was read once, and stays so in every "
    "epoch: data.augment changes images anew in each"
)


def collect(
    made: Any,
    source: str,
    progress: Progress,
    chosen: str = "",
    wanted: Sequence[str] = (),
    weight: str = "",
    alone: frozenset[int] = frozenset(),
) -> Given:
    """Return the samples that the user's function returned.

    Args:
        source: the function, for messages.
        chosen: names of the inputs to take, of samples that have several; empty for all.
        wanted: names of values of each sample that splits are made by: keys of a dictionary that the function returns,
            or attributes of its torch Dataset.
        weight: name of the weights of its samples, such a value, too.
        alone: ids of the lists in it that nothing else uses, which may be emptied.

    Raises:
        UserCodeError: the data set that it returned fails.
        DataError: it returned something else.
    """
    wanted = (*wanted, weight)
    made, columns = _without_columns(made, wanted, source)
    sets = sets_in(made, source)
    columns |= attributes_of(sets.train, wanted, source)
    given = {"train": sets.train, "validation": sets.validation, "test": sets.test}
    parts = {name: part for name, part in given.items() if part is not None}
    owned = _may_be_owned(
        sets.train
    )  # before there are arrays of it: PyTorch takes the memory of a tensor for lent then
    pairs = {name: _pair(part, source, chosen, progress, alone) for name, part in parts.items()}
    weights = {
        name: array_of(part[2], source)
        for name, part in parts.items()
        if not is_read_one_by_one(part) and len(part) == 3
    }
    weights |= own_weights(parts, weight, source)
    names = names_in(sets.train) if is_read_one_by_one(sets.train) else None
    rows = _as_rows(sets.train, pairs, chosen)
    once = (ONCE,) if _differ_when_read_again(sets.train, pairs["train"]) else ()
    return Given(
        pairs["train"],
        pairs.get("validation"),
        pairs.get("test"),
        source=source,
        class_names=sets.class_names,
        feature_names=rows or sets.feature_names,
        names=names or ("inputs", "targets"),
        notes=(*sets.notes, *_named(names), *_of_columns(rows), *once),
        weights=weights,
        columns=columns,
        owned=owned,
    )


def _as_rows(samples: Any, pairs: dict[str, Pair], chosen: str) -> tuple[str, ...]:
    """Make tables of pairs whose samples are plain dicts of numbers, as rows of a file are; return their columns.

    Samples of a torch data set stay as they are: its network may ask for each by name, as for those that are `chosen`.
    """
    fields = pairs["train"][0]
    if (
        chosen
        or not isinstance(fields, Mapping)
        or not (is_table_of_samples(samples) or isinstance(samples, list))
    ):
        return ()
    columns = tuple(map(str, fields))
    taken: dict[str, list[np.ndarray]] = {}
    for name, (inputs, _) in pairs.items():
        if not isinstance(inputs, Mapping) or inputs.keys() != fields.keys():
            return ()
        taken[name] = [
            each for each in map(inputs.get, fields) if isinstance(each, np.ndarray) and each.ndim == 1
        ]
        if len(taken[name]) < len(fields) or any(each.dtype.kind not in "biuf" for each in taken[name]):
            return ()
    for name, values in taken.items():
        pairs[name] = np.stack(values, axis=1), pairs[name][1]
    return columns


def _of_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return that samples became rows, and how to have their numbers by name, a line."""
    if not columns:
        return ()
    named = ", ".join(columns[:FEW_NAMES])
    more = f" and {len(columns) - FEW_NAMES:,} more" if len(columns) > FEW_NAMES else ""
    return (
        f"samples are rows of a table with the columns {named}{more}: name them in data.inputs to give a network each "
        "by its name",
    )


def _may_be_owned(part: Any) -> bool:
    """Return whether nothing but the user's own references could hold the memory of the samples."""
    if isinstance(part, TensorDataset):
        return may_be_handed_over(part.tensors[0])
    return is_read_one_by_one(part) or may_be_handed_over(part[0])


def _without_columns(made: Any, wanted: Sequence[str], source: str) -> tuple[Any, dict[str, np.ndarray]]:
    """Take the values that splits are made by from what a function returned; return the rest, and them."""
    if not isinstance(made, Mapping):
        return made, {}
    columns = {name: array_of(made[name], source) for name in wanted if name in made}
    return {key: value for key, value in made.items() if key not in columns}, columns


def attributes_of(samples: Any, wanted: Sequence[str], source: str) -> dict[str, np.ndarray]:
    """Values of each sample that a torch Dataset has as attributes."""
    if not isinstance(samples, TorchDataset):
        return {}
    named = [name for name in wanted if name and hasattr(samples, name)]
    return {name: array_of(getattr(samples, name), source) for name in named}


def own_weights(parts: Mapping[str, Any], weight: str, source: str) -> dict[str, np.ndarray]:
    """Return the weights of samples that torch data sets for validation and test have as an attribute."""
    others = {name: attributes_of(part, (weight,), source) for name, part in parts.items() if name != "train"}
    return {name: values[weight] for name, values in others.items() if values}


def _named(names: tuple[str, str] | None) -> tuple[str, ...]:
    """Return which entry of samples that are dicts is the target, a line."""
    return (f"targets: {names[1]} of each sample, the rest are inputs",) if names else ()


def _pair(part: Any, source: str, chosen: str, progress: Progress, alone: frozenset[int]) -> Pair:
    """Inputs and targets of one set."""
    if isinstance(part, TensorDataset) and len(part.tensors) == 2:
        part = part.tensors
    if is_read_one_by_one(part):
        inputs, targets = read_samples(part, source, progress)
        return selected(inputs, chosen), targets
    if isinstance(part[0], list) and part[0] and (is_several(part[0][0]) or isinstance(part[0][0], Mapping)):
        inputs, targets = read_samples(_Zipped(part[0], part[1], source), source, progress)
        return selected(inputs, chosen), targets
    refuse_lists_of_labels(part[1], f"data.path: {source} returned")
    inputs, targets = part[0], array_of(part[1], source)
    if isinstance(inputs, Mapping):
        fields: Any = {
            str(name): column_of(values, source, owned=id(values) in alone) for name, values in inputs.items()
        }
    elif isinstance(inputs, tuple) and is_several(inputs):
        fields = {
            place: column_of(values, source, owned=id(values) in alone) for place, values in enumerate(inputs)
        }
    else:
        fields = column_of(inputs, source, owned=id(inputs) in alone)
    if isinstance(fields, Ragged):
        fields = {0: fields}
    return selected(fields, chosen), targets


def _differ_when_read_again(samples: Any, read: Pair) -> bool:
    """Return whether a torch data set gives other samples the second time."""
    if not isinstance(samples, TorchDataset) or isinstance(samples, TensorDataset):
        return False
    try:
        again = read_samples(_First(samples, min(READ_AGAIN, len(read[1]))), "", no_progress)[0]
    except Exception:  # one that can be read only once
        return False
    return not _same(read[0], again)


class _Zipped:
    """Samples of a list of inputs, each of several arrays, and a list of targets."""

    def __init__(self, inputs: list[Any], targets: Any, source: str) -> None:
        self._inputs, self._targets = inputs, array_of(targets, source)
        if len(inputs) != len(self._targets):
            raise DataError(
                f"data.path: {source} gave {len(inputs):,} inputs and {len(self._targets):,} targets",
                "Give one target a sample",
            )

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, number: int) -> Any:
        return self._inputs[number], self._targets[number]


class _First:
    """The first samples of a data set."""

    def __init__(self, samples: Any, count: int) -> None:
        self._samples, self._count = samples, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Any:
        return self._samples[number]


def _same(one: Any, again: Any) -> bool:
    """Return whether inputs start with those that were read again; NaN is equal to NaN."""
    if isinstance(again, Mapping):
        return isinstance(one, Mapping) and all(
            _same(one[name], again[name]) for name in again if name in one
        )
    if isinstance(one, Ragged) or isinstance(again, Ragged):
        values = one.values if isinstance(one, Ragged) else None
        return (
            values is None
            or not isinstance(again, Ragged)
            or bool(torch.equal(values[: len(again.values)], again.values))
        )
    if not isinstance(one, np.ndarray):
        return True
    return np.array_equal(one[: len(again)], again, equal_nan=again.dtype.kind in "fc")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context manager that starts all global random numbers at `seed`, and restores them afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
