"""From plain arrays of inputs and targets to a data set: what each sample is, and what each target is."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.arrays.array_targets import (
    answers_of,
    are_labels,
    are_soft,
    check_varied,
    classes_in,
    label_names,
    several_names,
    targets_of,
    without_ignored,
)
from core.data.arrays.conditioned import clipped_targets, conditioning_of
from core.data.arrays.given import Given
from core.data.arrays.in_place import in_place
from core.data.arrays.own_splits import check_pair, own_split, spread
from core.data.arrays.sample_shapes import SHAPES, ArrayShape, Layout, layout_of, samples_of
from core.data.arrays.sample_weights import weighted
from core.data.arrays.seen import Seen
from core.data.division.by import ColumnValues, SplitBy
from core.data.division.facts import division_notes
from core.data.division.files import SampleNames
from core.data.division.read import read_split_by
from core.data.kinds.registry import KindName, kind_of
from core.data.mapped import HeldRows, MappedRows
from core.data.targets import LABELS, NUMBERS, SHARES, AskedTask
from core.data.text.token_ids import TokenIds
from core.errors import DataError
from core.tasks.multilabel import Multilabel
from core.tasks.registry import task_for, task_of

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.conditioning import Conditioning
    from core.data.dataset import Dataset, Split
    from core.data.options import ScalingName

__all__ = ["dataset_of", "positions_of", "split_by"]

BYTES_AT_ONCE = 2**22
EXACT = 2**24
"""Whole numbers below it are the same as float32."""


@dataclass(frozen=True)
class _Targets:
    """Targets of the training samples that are used.

    Attributes:
        values: (n, ...) as the task has them, of the samples at `kept`.
        keys: of the classes, in their order; empty without classes.
        names: of the classes, or of the labels.
        numbers: they are several numbers, or one, in columns.
    """

    values: np.ndarray
    kept: np.ndarray
    keys: tuple[str, ...]
    names: tuple[str, ...]
    task: str
    asked: AskedTask
    numbers: bool


def dataset_of(given: Given, options: Any, name: str, task: AskedTask, shape: ArrayShape) -> "Dataset":
    """Return the data set of these arrays, checked and split.

    Args:
        options: how to split and scale: `HeldOut` and `ImageOptions`.

    Raises:
        DataError: the arrays do not hold samples, or do not go together.
    """
    from core.data.masks.mask_arrays import has_masks, masks_of_arrays

    if task == "auto" and has_masks(given.train):
        return masks_of_arrays(given, options, name, shape)
    notes = list(given.notes)
    given = _kept_as_given(given, options.scaling, notes)
    is_exact = _are_exact(given.train[0])  # before its memory is taken for something else
    layout, inputs = _samples(given, shape, notes)
    check_pair(inputs, given.train[1], f"data.path: {given.source}", given.names)
    targets = _targets(given, options, task, notes)
    by = split_by(options, given, len(inputs))
    found = positions_of(options, targets.values, targets.task, targets.names, by.at(targets.kept), given)
    parts = {part: targets.kept[at] for part, at in found.items()}
    notes += division_notes(options, by, parts)
    inputs, conditioning = _conditioned(inputs, layout, given, options.scaling, parts["train"], notes)
    values = spread(targets.values, targets.kept, len(inputs))
    if task_of(targets.task).targets == "numbers":
        values = clipped_targets(values, parts["train"], given.names[1], notes)
    own = _own_splits(given, inputs, targets, values, layout, conditioning, options.ignore_index)
    data = _assembled(given, options, name, (layout, inputs), (targets, values), (by, parts), own["test"])
    data = weighted(replace(data, validation=own["validation"] or data.validation), given)
    data = _prepared(data, options, layout, notes)
    return replace(
        data,
        notes=tuple(notes),
        target_names=several_names(given.class_names, values.shape[1]) if targets.numbers else (),
        conditioning=conditioning,
        whole=data.kind == "table" and is_exact,
    )


def _targets(given: Given, options: Any, task: AskedTask, notes: list[str]) -> _Targets:
    """Return the targets of the training samples, and what they are."""
    place = given.targets_place
    answers = answers_of(given.train[1], task, given.names[1], place, notes, given.class_names)
    check_varied(answers, place)
    kept, answers = without_ignored(answers, options.ignore_index, place, notes)
    labels = label_names(answers.shape[1]) if are_labels(answers) else ()
    soft = are_soft(answers)
    numbers = answers.ndim == 2 and not labels and not soft
    classes = answers.shape[1] if soft else len(given.class_names)
    keys = tuple(str(number) for number in range(classes)) if not (labels or numbers) else ()
    if not labels and answers.dtype.kind != "f":
        keys = keys or classes_in(answers, task, place)
    named = given.class_names if len(given.class_names) == len(labels or keys) else ()
    return _Targets(
        targets_of(answers, keys, place),
        kept,
        keys,
        named or labels or keys,
        Multilabel.name if labels else task_for(len(keys)),
        LABELS if labels else SHARES if soft else "classification" if keys else NUMBERS,
        numbers,
    )


def _conditioned(
    inputs: Any, layout: Layout | None, given: Given, scaling: str, train: np.ndarray, notes: list[str]
) -> "tuple[Any, Conditioning | None]":
    """Return inputs with the heavy tails of a table clipped and far columns centred, and what says so."""
    if layout != "table" or scaling == "none":
        if layout and inputs.dtype == np.float64:
            raise DataError(
                f"data.scaling: none, but {given.inputs_place} has values that differ by less than float32 can hold",
                "Set it to standardise, or subtract a constant from them first",
            )
        return inputs, None
    found = conditioning_of(inputs, train, _feature_names(given, inputs), notes)
    if found is None:
        return inputs, None
    owned = given.owned or _is_apart(inputs, given.train[0])
    change, narrow = found.of_rows, found.of_columns
    return in_place(inputs, change, np.float32, owned=owned, later=True, of_columns=narrow), found


def _own_splits(
    given: Given,
    inputs: Any,
    targets: _Targets,
    values: np.ndarray,
    layout: Layout | None,
    conditioning: "Conditioning | None",
    ignored: int,
) -> "dict[str, Split | None]":
    """Return the splits for validation and test that were given; None where they were not."""
    made = {
        name: own_split(pair, name, given, inputs, targets.keys, targets.asked, layout, conditioning, ignored)
        for name, pair in (("validation", given.validation), ("test", given.test))
    }
    for each in made.values():
        if each is not None and each.targets.shape[1:] != values.shape[1:]:
            raise DataError(
                f"data.path: {given.source} has other targets in train than in another split",
                "Give all splits the same targets",
            )
    return made


def _assembled(
    given: Given,
    options: Any,
    name: str,
    samples: tuple[Layout | None, Any],
    answers: tuple[_Targets, np.ndarray],
    division: tuple[SplitBy, dict[str, np.ndarray]],
    test: "Split | None",
) -> "Dataset":
    """Return the data set of arrays whose samples, targets and splits are known."""
    import torch

    from core.data.splits import assemble

    (layout, inputs), (targets, values), (by, parts) = samples, answers, division
    kind = SHAPES[layout] if layout else "other"
    owned = given.owned or _is_apart(inputs, given.train[0])
    on_disk = kind_of(kind).on_disk and isinstance(given.train[0], np.memmap)
    feature_names = _feature_names(given, inputs) if kind == "table" else ()
    value_range = _value_range(inputs, parts["train"]) if layout else (0.0, 1.0)
    if layout:
        rows = MappedRows if on_disk else HeldRows if isinstance(inputs, Seen) else None
        inputs = rows(inputs, np.arange(len(inputs))) if rows else _tensor_of(inputs)
    return assemble(
        name=name,
        kind=kind,
        inputs=inputs,
        targets=torch.from_numpy(values),
        parts=parts,
        official_test=test,
        groups=None if by.groups is None else by.groups.codes,
        weights=by.weights,
        class_names=targets.names,
        task=targets.task,
        feature_names=feature_names,
        value_range=value_range,
        scaling=_scaling(kind, options.scaling) if layout else "none",
        owned=owned and not on_disk,
    )


def _tensor_of(array: np.ndarray) -> "Tensor":
    """Return a tensor of the memory of an array, which nothing writes into where it is the user's."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(array)


def _prepared(data: "Dataset", options: Any, layout: Layout | None, notes: list[str]) -> "Dataset":
    """Return data with what is done to its fields, or with the ids of its tokens."""
    from core.data.arrays.structured import with_fields

    if not layout:
        data = with_fields(data, options.scaling, notes)
    return _looked_up(data, options.padding, notes) if kind_of(data.kind).looked_up else data


def _scaling(kind: KindName, asked: "ScalingName") -> "ScalingName":
    """How inputs are scaled: ids are not, and there is no unit of columns."""
    parts = kind_of(kind).statistics
    if parts == "none":
        return "none"
    return "standardise" if parts == "columns" and asked == "unit" else asked


def _token_ids(train: "Tensor | MappedRows", padding: int) -> TokenIds:
    """The ids of training sequences."""
    rows = max(1, BYTES_AT_ONCE // max(1, train[:1].nbytes))
    known = max(int(train[at : at + rows].max()) for at in range(0, len(train), rows)) + 1
    if padding >= known:
        raise DataError(
            f"data.padding: got {padding}, but the largest id is {known - 1}", "Give the id that fills, or -1"
        )
    return TokenIds(known, padding if padding >= 0 else None)


def _looked_up(data: "Dataset", padding: int, notes: list[str]) -> "Dataset":
    """Sequences of tokens with their ids; those that train lacks become the id of unknown ones."""
    import torch

    ids, splits = _token_ids(data.train.inputs, padding), {}
    for name in ("validation", "test"):
        split = data.splits[name]
        inputs = split.inputs[:].numpy()
        strange = ids.unknown(inputs)
        if strange:
            notes.append(
                f"{name}: {strange:,} ids are larger than all of train's: they count as one unknown id"
            )
        splits[name] = replace(split, inputs=torch.from_numpy(ids.ids(inputs)))
    return replace(data, ids=True, vocabulary=ids, validation=splits["validation"], test=splits["test"])


def _kept_as_given(given: Given, scaling: str, notes: list[str]) -> Given:
    """The arrays, as a field where their type must be kept: complex numbers, whole ones that float32 cannot hold."""
    array = given.train[0]
    if not isinstance(array, np.ndarray) or not array.size:
        return given
    if array.dtype.kind != "c":
        if array.dtype.kind not in "iu" or array.ndim > 2 or _largest(array) < EXACT:
            return given
        if scaling != "none":
            notes.append(
                "inputs: whole numbers beyond 2^24 are standardised; data.scaling=none keeps them, as int64"
            )
            return given
    pairs = {name: getattr(given, name) for name in ("train", "validation", "test")}
    wrapped: dict[str, Any] = {name: pair and ({0: pair[0]}, pair[1]) for name, pair in pairs.items()}
    return replace(given, **wrapped)


def _samples(given: Given, shape: ArrayShape, notes: list[str]) -> tuple[Layout | None, Any]:
    """How the samples of an array lie, and these; None and the fields, where each consists of several."""
    from core.data.arrays.structured import fields_of

    inputs, place = given.train[0], given.inputs_place
    if isinstance(inputs, Mapping):
        return None, fields_of(inputs, f"data.path: {given.source}")
    layout = layout_of(inputs, shape, given.names[0], place, notes)
    owned = given.owned and not isinstance(inputs, np.memmap)
    return layout, samples_of(inputs, layout, place, owned=owned, later=True)


def _are_exact(inputs: Any) -> bool:
    """Return whether inputs are whole numbers that are the same as float32."""
    return isinstance(inputs, np.ndarray) and inputs.dtype.kind in "iu" and _largest(inputs) < EXACT


def _largest(values: np.ndarray) -> int:
    """The largest magnitude of whole numbers."""
    return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0


def split_by(options: Any, given: Given, count: int) -> SplitBy:
    """Read what splits are made by, of the training samples."""

    def column(_: str, name: str) -> ColumnValues | None:
        values = given.columns.get(name)
        return None if values is None else ColumnValues(np.asarray(values).reshape(len(values), -1)[:, 0])

    return read_split_by(options, SampleNames(count), column, tuple(given.columns))


def positions_of(
    options: Any, targets: np.ndarray, task: str, names: tuple[str, ...], by: SplitBy, given: Given
) -> dict[str, np.ndarray]:
    """Positions of the splits that are taken from the training arrays; the others are empty."""
    if given.validation is not None and options.folds:
        raise DataError("data.folds: the data has a validation split of its own", "Set it to 0")
    parts: dict[str, np.ndarray] = options.parts(
        targets,
        task,
        names,
        by,
        own_test=given.test is not None,
        own_validation=given.validation is not None,
    )
    return parts


def _feature_names(given: Given, inputs: np.ndarray) -> tuple[str, ...]:
    if len(given.feature_names) == inputs.shape[1]:
        return given.feature_names
    return tuple(f"column {place + 1}" for place in range(inputs.shape[1]))


def _is_apart(inputs: Any, given: Any) -> bool:
    """Return whether inputs were made here, not given: nobody else uses their memory."""
    both = isinstance(inputs, np.ndarray) and isinstance(given, np.ndarray)
    return both and not np.may_share_memory(inputs, given)


def _value_range(inputs: np.ndarray, train: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value that inputs of this type usually take, or else those of train."""
    rows = max(1, BYTES_AT_ONCE // max(1, inputs[:1].nbytes))
    if inputs.dtype == np.uint8:
        most = max(int(inputs[at : at + rows].max()) for at in range(0, len(inputs), rows))
        return 0.0, 255.0 if most > 1 else 1.0
    parts = (inputs[train[at : at + rows]] for at in range(0, len(train), rows))
    ends = [(float(part.min()), float(part.max())) for part in parts]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1)
