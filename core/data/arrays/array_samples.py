"""From plain arrays of inputs and targets to a data set: what each sample is, what each target says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.data.mapped import MappedRows
from core.data.targets import AskedTask
from core.errors import DataError
from core.metrics import Task

if TYPE_CHECKING:
    from core.data.dataset import Dataset, Split

__all__ = ["ArrayShape", "Given", "dataset_of"]

ArrayShape = Literal["auto", "table", "channels_first", "channels_last"]
CHANNELS = (1, 2, 3, 4)
"""Sizes of a dimension that are taken for the channels of an image."""
MAX_CLASSES = 10_000


Pair = tuple[np.ndarray, np.ndarray]
"""(n, ...) inputs and n targets."""


@dataclass(frozen=True)
class Given:
    """Arrays as a person gave them, for training and maybe for the test.

    Attributes:
        source: where they come from, and `names`: what inputs and targets are called there; for messages.
        class_names: of classes numbered from 0, where they are known.
    """

    train: Pair
    test: Pair | None = None
    source: str = "data"
    names: tuple[str, str] = ("inputs", "targets")
    class_names: tuple[str, ...] = ()


def dataset_of(given: Given, options: Any, name: str, task: AskedTask, shape: ArrayShape) -> "Dataset":
    """A data set of these arrays, checked and split.

    Args:
        options: says how to split and scale: `HeldOut` and `ImageOptions`.

    Raises:
        DataError: the arrays do not hold samples, or do not go together.
    """
    import torch

    from core.data.splits import assemble

    inputs = _samples(given.train[0], shape, _place(given, 0))
    answers = _answers(given.train[1], task, _place(given, 1))
    _check_pair(inputs, answers, f"data.path: {given.source}", given.names)
    keys = tuple(str(number) for number in range(len(given.class_names)))
    if answers.dtype.kind != "f":
        keys = keys or _classes_in(answers, _place(given, 1))
    targets = _targets(answers, keys, _place(given, 1))
    found: Task = "multiclass" if keys else "regression"
    kind: Literal["image", "table"] = "image" if inputs.ndim == 4 else "table"
    official = _official_test(given, inputs, keys, task, shape)
    if official is None:
        parts = options.parts(targets, found, given.class_names or keys)
    else:
        kept, held_out = options.hold_out(targets, found, given.class_names or keys)
        parts = {"train": kept, "validation": held_out}
    on_disk = kind == "image" and isinstance(given.train[0], np.memmap)
    columns = range(inputs.shape[1]) if kind == "table" else ()
    return assemble(
        name=name,
        kind=kind,
        inputs=MappedRows(inputs, np.arange(len(inputs))) if on_disk else torch.from_numpy(inputs),
        targets=torch.from_numpy(targets),
        parts=parts,
        official_test=official,
        class_names=given.class_names or keys,
        feature_names=tuple(f"column {place + 1}" for place in columns),
        value_range=_value_range(inputs, parts["train"]),
        scaling=options.scaling if kind == "image" else "standardise",
    )


def _official_test(
    given: Given, inputs: np.ndarray, keys: tuple[str, ...], task: AskedTask, shape: ArrayShape
) -> "Split | None":
    """The test set that was given, made as the training inputs were."""
    import torch

    from core.data.dataset import Split

    if given.test is None:
        return None
    place = f"data.path: {given.source}, the test set"
    test_inputs = _samples(given.test[0], shape, place)
    answers = _answers(given.test[1], task, place)
    _check_pair(test_inputs, answers, place, given.names)
    if test_inputs.shape[1:] != inputs.shape[1:]:
        raise DataError(
            f"{place} has inputs of the shape {_shape(test_inputs)}, training inputs {_shape(inputs)}",
            "Give both the same shape of samples",
        )
    targets = torch.from_numpy(_targets(answers, keys, place))
    return Split(
        torch.from_numpy(test_inputs.astype(inputs.dtype, copy=False)), targets, np.arange(len(targets))
    )


def _samples(array: np.ndarray, shape: ArrayShape, place: str) -> np.ndarray:
    """Inputs as (n, features) float32 or (n, channels, height, width) uint8 or float32."""
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{place} is of type {array.dtype}, not numbers", "Give numbers, such as float32 or uint8"
        )
    if array.ndim == 0 or array.size == 0:
        raise DataError(f"{place} holds no samples: its shape is {_shape(array)}", "Give one row a sample")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        raise DataError(
            f"{place} has NaN or infinite values in {len(rows):,} samples, first in sample {rows[0]}",
            "Fill them, or leave these samples out",
        )
    if shape == "table" or (shape == "auto" and array.ndim <= 2):
        return np.ascontiguousarray(array.reshape(len(array), -1), dtype=np.float32)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim != 4:
        raise DataError(
            f"{place} has the shape {_shape(array)}, which is neither a table nor images",
            "Set data.shape to table to take each sample as one row",
        )
    elif shape == "channels_last" or (shape == "auto" and _ends_in_channels(*array.shape[1:])):
        array = array.transpose(0, 3, 1, 2)
    dtype = np.uint8 if array.dtype in (np.uint8, np.bool_) else np.float32
    return np.ascontiguousarray(array, dtype=dtype)


def _ends_in_channels(one: int, other: int, last: int) -> bool:
    """Whether the last dimension is that of channels; where the first could be too, a square decides."""
    return last in CHANNELS and (one not in CHANNELS or one == other != last)


def _answers(array: np.ndarray, task: AskedTask, place: str) -> np.ndarray:
    """Targets (n,): float32 numbers to predict, or classes as numbers or texts of any other type."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if (
        array.ndim == 2
        and task != "regression"
        and np.isin(array, (0, 1)).all()
        and (array.sum(axis=1) == 1).all()
    ):
        array = array.argmax(axis=1)  # one-hot
    if array.ndim != 1:
        raise DataError(f"{place} has the shape {_shape(array)}", "Give one class or one number a sample")
    if array.dtype.kind not in "fiubUS":
        raise DataError(f"{place} is of type {array.dtype}", "Give numbers or texts")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))
        raise DataError(
            f"{place} is NaN or infinite for {len(bad):,} samples, first for sample {bad[0]}",
            "Leave these out",
        )
    if task == "regression" or (task == "auto" and array.dtype.kind == "f"):
        if array.dtype.kind in "US":
            raise DataError(f"{place} holds texts, which are no numbers", "Set data.task to classification")
        return array.astype(np.float32)
    if array.dtype.kind == "f" and (array == array.round()).all():
        return array.astype(np.int64)
    return np.array([_class_name(value) for value in array]) if array.dtype.kind in "fS" else array


def _classes_in(answers: np.ndarray, place: str) -> tuple[str, ...]:
    """The names of all classes, in the order of their values."""
    names = tuple(_class_name(value) for value in np.unique(answers))
    if len(names) < 2:
        only = f"are all {names[0]}" if names else "are empty"
        raise DataError(
            f"{place}: the targets {only}: there is nothing to tell apart", "Give two classes or more"
        )
    if len(names) > MAX_CLASSES or (len(names) > 2 and 2 * len(names) > len(answers)):
        raise DataError(
            f"{place} holds {len(names):,} different values in {len(answers):,} samples, too many for classes",
            "Set data.task to regression",
        )
    return names


def _targets(answers: np.ndarray, keys: tuple[str, ...], place: str) -> np.ndarray:
    """Numbers (n, 1) float32, or the place of each class among `keys`, (n,) int64."""
    if not keys:
        return np.ascontiguousarray(answers[:, None], dtype=np.float32)
    values, numbers = np.unique(answers, return_inverse=True)
    names = [_class_name(value) for value in values]
    new = [name for name in names if name not in keys]
    if new:
        raise DataError(
            f"{place} has the class {new[0]}", f"Known are {len(keys)}, from {keys[0]} to {keys[-1]}"
        )
    return np.array([keys.index(name) for name in names], dtype=np.int64)[numbers]


def _class_name(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _check_pair(inputs: np.ndarray, answers: np.ndarray, place: str, names: tuple[str, str]) -> None:
    if len(inputs) != len(answers):
        raise DataError(
            f"{place} has {len(inputs):,} samples in {names[0]} and {len(answers):,} in {names[1]}",
            "Give one target a sample",
        )


def _value_range(inputs: np.ndarray, train: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value that inputs of this type usually take, or else those of train."""
    if inputs.dtype == np.uint8:
        return 0.0, 255.0 if inputs.max() > 1 else 1.0
    values = inputs[train]
    low, high = float(values.min()), float(values.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1)


def _place(given: Given, which: int) -> str:
    return f"data.path: {given.source}, {given.names[which]}"


def _shape(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape)) or "a single number"
