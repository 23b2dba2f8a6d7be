"""Sets of samples in the answer of a user's function: one, or those of train, validation and test."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, default_collate
from torch.utils.data import Dataset as TorchDataset

from core.data.own.values import (
    TAKEN,
    is_array_like,
    is_several,
    kind_of,
    refuse_lists_of_labels,
    refuse_sparse,
)
from core.errors import DataError

__all__ = ["Sets", "is_read_one_by_one", "is_table_of_samples", "sets_in"]

SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing"),
}
"""Splits, and the keys that a dict has for them."""
PAIRS = (("inputs", "targets"), ("x", "y"), ("X", "y"), ("data", "target"))
"""Keys of a dict of arrays."""
FEW = 4
"""Lists of up to so many things are sets of samples; longer ones are samples."""


@dataclass(frozen=True)
class Sets:
    """Sets of samples: each a data set that gives them one by one, or inputs and targets of all, maybe with weights.

    Attributes:
        notes: what was made of the answer, a line each.
        class_names, feature_names: where the answer names them.
    """

    train: Any
    validation: Any = None
    test: Any = None
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()


def sets_in(made: Any, source: str) -> Sets:
    """Return the sets of samples in what a user's function returned.

    Args:
        source: the function, for messages.

    Raises:
        DataError: there are none; the message says what to return in its place.
    """
    where = f"data.path: {source} returned"
    notes: list[str] = []
    _refuse_others(made, where)
    if _is_set(made):
        train = _plain(made, source, notes)
        return Sets(train, None, None, tuple(notes), _class_names(made), _column_names(made))
    if isinstance(made, Mapping):
        return _of_mapping(made, where, source, notes)
    if isinstance(made, deque):
        made = list(made)
    if not isinstance(made, tuple | list):
        raise DataError(f"{where} {kind_of(made)}", TAKEN)
    for part in made:
        _refuse_others(part, f"{where} {kind_of(made)}, in which there is")
    if len(made) in (2, 3) and _is_set(made[0]) and all(part is None or _is_set(part) for part in made):
        train, *others = (part if part is None else _plain(part, source, notes) for part in made)
        names = _class_names(made[0])
        if len(others) == 1:
            return Sets(train, test=others[0], notes=tuple(notes), class_names=names)
        notes.append(f"{source} returned three sets of samples: train, validation and test, in this order")
        return Sets(train, others[0], others[1], tuple(notes), names)
    if len(made) == 4 and all(map(is_array_like, made)):
        if _are_inputs_first(made):
            notes.append(
                f"{source} returned inputs of train and test, then targets of both, as train_test_split does"
            )
            return Sets((made[0], made[2]), test=(made[1], made[3]), notes=tuple(notes))
        return Sets((made[0], made[1]), test=(made[2], made[3]))
    raise _unknown(made, where)


def is_read_one_by_one(part: Any) -> bool:
    """Return whether a set of samples is a data set, or a list of samples, not inputs and targets of all."""
    return not isinstance(part, tuple) and hasattr(part, "__len__") and hasattr(part, "__getitem__")


def _is_set(part: Any) -> bool:
    return (
        isinstance(part, TorchDataset | DataLoader)
        or _gives_samples(part)
        or is_table_of_samples(part)
        or _are_samples(part)
        or _is_pair(part)
    )


def _are_inputs_first(made: Any) -> bool:
    """Return whether the shapes of four arrays are as those of scikit-learn's ``train_test_split``."""
    train, test, train_targets, test_targets = (np.shape(part) for part in made)
    return (
        len(train) > 1
        and train[1:] == test[1:]
        and len(train_targets) == len(test_targets) == 1
        and (train[0], test[0]) == (train_targets[0], test_targets[0])
    )


def _is_pair(part: Any) -> bool:
    """Return whether this is inputs and targets of all samples, and maybe their weights."""
    if not isinstance(part, tuple | list) or len(part) not in (2, 3) or _is_one_sample(part):
        return False
    inputs, *others = part
    return _are_inputs(inputs) and all(map(_is_column, others))


def _are_inputs(values: Any) -> bool:
    if isinstance(values, Mapping):
        return bool(values) and all(map(_is_column, values.values()))
    if isinstance(values, tuple) and is_several(values):
        return all(map(_is_column, values))
    return _is_column(values)


def _is_column(values: Any) -> bool:
    """Return whether this holds a value for each of some samples."""
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        return False
    return is_array_like(values) or (isinstance(values, list) and is_several(values))


def _is_one_sample(part: Any) -> bool:
    """Return whether this is an input and its target."""
    return (
        isinstance(part, tuple | list)
        and len(part) == 2
        and not getattr(part[1], "ndim", 0)
        and isinstance(part[1], int | float | str)
    ) or (len(part) == 2 and getattr(part[1], "ndim", 1) == 0)


def _are_samples(values: Any) -> bool:
    """Return whether this is a list of samples: of pairs of input and target, or of dicts."""
    if not isinstance(values, list | tuple | deque) or not values:
        return False
    if not isinstance(values, list) and len(values) <= FEW:
        return False
    if isinstance(values[0], Mapping):
        return len(values) > FEW
    return _is_one_sample(values[0]) if isinstance(values[0], tuple | list) else False


def _gives_samples(value: Any) -> bool:
    """Return whether an object of the user's own has a length and gives a sample for each number."""
    plain = isinstance(
        value, tuple | list | str | bytes | memoryview | Mapping | deque | type
    ) or is_array_like(value)
    return not plain and hasattr(value, "__len__") and hasattr(value, "__getitem__")


def is_table_of_samples(value: Any) -> bool:
    """Return whether this is a data set of Hugging Face's ``datasets``, which need not be installed."""
    return all(hasattr(value, name) for name in ("features", "column_names", "with_format", "__getitem__"))


def _plain(part: Any, source: str, notes: list[str]) -> Any:
    """Return a set of samples without what is made here: batches."""
    if isinstance(part, DataLoader):
        if part.collate_fn is not default_collate:
            raise DataError(
                f"data.path: {source} returned a DataLoader with a collate function of its own",
                "Return its data set: sequences of different lengths are padded here, with a mask and lengths",
            )
        note = f"{source} returned a DataLoader: its data set is used, batches and their order are made here"
        notes += [] if note in notes else [note]
        part = part.dataset
    if isinstance(part, IterableDataset) or (isinstance(part, TorchDataset) and not hasattr(part, "__len__")):
        raise DataError(
            f"data.path: {source} returned {kind_of(part)}, which has no length and may never end",
            "Return a Dataset with __len__ and __getitem__, or arrays",
        )
    if isinstance(part, tuple | deque) and _are_samples(part):
        return list(part)
    if _is_pair(part):
        return tuple(part)
    return part.with_format("numpy") if is_table_of_samples(part) else part


def _refuse_others(made: Any, where: str) -> None:
    """Refuse what looks like data and is read in another way.

    Raises:
        DataError: it is such a thing.
    """
    if isinstance(made, Mapping):
        for part in made.values():
            refuse_sparse(part, where)
    refuse_sparse(made, where)
    if isinstance(made, TorchDataset | DataLoader | Mapping):
        return
    if isinstance(made, Iterator):
        raise DataError(
            f"{where} {kind_of(made)}, which can be read only once and may never end",
            "Return a list of its samples, list(...), or a Dataset",
        )
    if hasattr(made, "columns") and (hasattr(made, "dtypes") or hasattr(made, "schema")):
        raise DataError(
            f"{where} a table, {kind_of(made)}",
            "Return arrays, (table[columns].to_numpy(), table[target].to_numpy()), or save it as CSV or Parquet and "
            "train on the file",
        )


def _of_mapping(made: Mapping[Any, Any], where: str, source: str, notes: list[str]) -> Sets:
    """Return the sets of a dict: by split, or inputs and targets."""
    named = {split: made[key] for split, keys in SPLITS.items() for key in made if str(key).lower() in keys}
    others = [key for key in made if all(made[key] is not part for part in named.values())]
    named = {split: part for split, part in named.items() if part is not None or split == "train"}
    if "train" in named and all(_is_set(made[key]) or made[key] is None for key in others):
        if others:
            notes.append(
                f"{source} returned other sets, too, which are not used: {', '.join(map(str, others))}"
            )
        wrong = next((name for name, part in named.items() if not _is_set(part)), None)
        if wrong is not None:
            raise DataError(f"{where} {kind_of(made)}, and {wrong} is {kind_of(named[wrong])}", TAKEN)
        parts = {name: _plain(part, source, notes) for name, part in named.items()}
        return Sets(**parts, notes=tuple(notes), class_names=_class_names(made.get("train")))
    for inputs, targets in PAIRS:
        if inputs in made and targets in made and _is_pair((made[inputs], made[targets])):
            return Sets(
                (made[inputs], made[targets]),
                class_names=_texts(made.get("target_names")),
                feature_names=_texts(made.get("feature_names")),
            )
    raise DataError(
        f"{where} {kind_of(made)}",
        "Return (inputs, targets), where inputs may be a dict of arrays, or a dict of train, validation and test",
    )


def _unknown(made: tuple[Any, ...] | list[Any], where: str) -> DataError:
    """Return the error of a tuple or list that holds something else than sets."""
    held = ", ".join(_short(part) for part in made[:6]) + (" ..." if len(made) > 6 else "")
    sets = [part for part in made if _is_set(part)]
    what = f"{where} {len(made)} things: {held}" if made else f"{where} nothing, {kind_of(made)}"
    if len(made) in (2, 3):
        refuse_lists_of_labels(made[1], where)
    if len(made) == 2 and _are_inputs(made[0]) and isinstance(made[1], tuple | Mapping):
        return DataError(
            f"{where} targets that are {kind_of(made[1])}",
            "Return one array, for several targets with a column for each",
        )
    if len(sets) == 1 and any(callable(part) for part in made):
        return DataError(
            what,
            "Return the data set alone: sequences of different lengths are padded here, with a mask and lengths",
        )
    if sets:
        return DataError(
            what,
            f"Return the {'set' if len(sets) == 1 else f'{len(sets)} sets'} of samples alone; names of classes are "
            "read from an attribute `classes` of a data set",
        )
    return DataError(what, TAKEN)


def _short(part: Any) -> str:
    if isinstance(part, TorchDataset):
        return f"a data set ({type(part).__name__})"
    return "a function" if callable(part) else kind_of(part).removeprefix("an object of type ")


def _class_names(part: Any) -> tuple[str, ...]:
    """Return the names of the classes that a data set knows."""
    part = part.dataset if isinstance(part, DataLoader) else part
    if is_table_of_samples(part):
        named = [each.names for each in dict(part.features).values() if hasattr(each, "names")]
        return _texts(named[0]) if len(named) == 1 else ()
    return _texts(getattr(part, "classes", None))


def _column_names(part: Any) -> tuple[str, ...]:
    """Return the names of the columns, where inputs are a data frame."""
    inputs: Any = part[0] if isinstance(part, tuple | list) else None
    return _texts(inputs.columns) if hasattr(inputs, "columns") and hasattr(inputs, "dtypes") else ()


def _texts(values: Any) -> tuple[str, ...]:
    if values is None or isinstance(values, str) or not hasattr(values, "__len__"):
        return ()
    return tuple(map(str, values)) if not callable(values) else ()
