"""From plain arrays of inputs and targets to a data set: what each sample is, and what each target is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.arrays.array_targets import (
    IGNORED,
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
from core.data.arrays.in_place import in_place
from core.data.arrays.sample_shapes import SHAPES, ArrayShape, Layout, layout_of, samples_of, shape_text
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

    from core.data.arrays.structured import FieldArrays
    from core.data.conditioning import Conditioning
    from core.data.dataset import Dataset, Split
    from core.data.options import ScalingName

__all__ = ["Given", "Pair", "arranged", "dataset_of", "made_alike", "own_split", "positions_of", "split_by"]

BYTES_AT_ONCE = 2**22
EXACT = 2**24
"""Whole numbers below it are the same as float32."""

Pair = tuple["np.ndarray | FieldArrays", np.ndarray]
"""(n, ...) inputs, or the fields of n samples, and n targets."""


@dataclass(frozen=True)
class Given:
    """Arrays as a user gave them, for training and maybe for validation and test.

    Attributes:
        source: where they come from, and `names`: what inputs and targets are called there; for messages.
        class_names: of classes numbered from 0, where they are known.
        feature_names: of the columns of a table, where they are known.
        notes: how the arrays were found, a line each.
        weights: how much each sample counts, (n,), of the splits that were given with them.
        columns: (n,) values of the training samples by name, which splits may be made by.
        owned: nothing else uses the training inputs, which may be rearranged where they lie.
    """

    train: Pair
    validation: Pair | None = None
    test: Pair | None = None
    source: str = "data"
    names: tuple[str, str] = ("inputs", "targets")
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    owned: bool = False


def dataset_of(given: Given, options: Any, name: str, task: AskedTask, shape: ArrayShape) -> "Dataset":
    """Return the data set of these arrays, checked and split.

    Args:
        options: how to split and scale: `HeldOut` and `ImageOptions`.

    Raises:
        DataError: the arrays do not hold samples, or do not go together.
    """
    import torch

    from core.data.arrays.structured import with_fields
    from core.data.masks.mask_arrays import has_masks, masks_of_arrays
    from core.data.splits import assemble

    if task == "auto" and has_masks(given.train):
        return masks_of_arrays(given, options, name, shape)
    notes = list(given.notes)
    given = _kept_as_given(given, options.scaling, notes)
    whole = isinstance(given.train[0], np.ndarray) and given.train[0].dtype.kind in "iu"
    whole = whole and _largest(given.train[0]) < EXACT  # type: ignore[arg-type] # an array of whole numbers
    layout, inputs = _samples(given, shape, notes)
    kind = SHAPES[layout] if layout else "other"
    _check_pair(inputs, given.train[1], f"data.path: {given.source}", given.names)
    answers = answers_of(given.train[1], task, given.names[1], _place(given, 1), notes, given.class_names)
    check_varied(answers, _place(given, 1))
    kept, answers = without_ignored(answers, options.ignore_index, _place(given, 1), notes)
    labels = label_names(answers.shape[1]) if are_labels(answers) else ()
    soft = are_soft(answers)
    numbers = answers.ndim == 2 and not labels and not soft
    classes = answers.shape[1] if soft else len(given.class_names)
    keys = tuple(str(number) for number in range(classes)) if not (labels or numbers) else ()
    if not labels and answers.dtype.kind != "f":
        keys = keys or classes_in(answers, task, _place(given, 1))
    targets = targets_of(answers, keys, _place(given, 1))
    named = given.class_names if len(given.class_names) == len(labels or keys) else ()
    names = named or labels or keys
    found = Multilabel.name if labels else task_for(len(keys))
    by = split_by(options, given, len(inputs))
    parts = positions_of(options, targets, found, names, by.at(kept), given)
    parts = {name: kept[at] for name, at in parts.items()}
    targets = spread(targets, kept, len(inputs))
    notes += division_notes(options, by, parts)
    feature_names = _feature_names(given, inputs) if kind == "table" else ()
    conditioning = None
    if kind == "table" and options.scaling != "none":
        conditioning = conditioning_of(inputs, parts["train"], feature_names, notes)
        if conditioning is not None:
            owned = given.owned or _is_apart(inputs, given.train[0])
            inputs = in_place(
                inputs,
                conditioning.of_rows,
                np.float32,
                owned=owned,
                later=True,
                of_columns=conditioning.of_columns,
            )
    elif layout and inputs.dtype == np.float64:
        raise DataError(
            f"data.scaling: none, but {_place(given, 0)} has values that differ by less than float32 can hold",
            "Set it to standardise, or subtract a constant from them first",
        )
    if task_of(found).targets == "numbers":
        targets = clipped_targets(targets, parts["train"], given.names[1], notes)
    asked: AskedTask = LABELS if labels else SHARES if soft else "classification" if keys else NUMBERS
    validation = own_split(
        given.validation, "validation", given, inputs, keys, asked, layout, conditioning, options.ignore_index
    )
    test = own_split(
        given.test, "test", given, inputs, keys, asked, layout, conditioning, options.ignore_index
    )
    for each in (validation, test):
        if each is not None and each.targets.shape[1:] != targets.shape[1:]:
            raise DataError(
                f"data.path: {given.source} has other targets in train than in another split",
                "Give all splits the same targets",
            )
    owned = given.owned or _is_apart(inputs, given.train[0])
    on_disk = kind_of(kind).on_disk and isinstance(given.train[0], np.memmap)
    value_range = _value_range(inputs, parts["train"]) if layout else (0.0, 1.0)
    if layout:
        rows = MappedRows if on_disk else HeldRows if isinstance(inputs, Seen) else None
        inputs = rows(inputs, np.arange(len(inputs))) if rows else torch.from_numpy(inputs)
    data = assemble(
        name=name,
        kind=kind,
        inputs=inputs,
        targets=torch.from_numpy(targets),
        parts=parts,
        official_test=test,
        groups=None if by.groups is None else by.groups.codes,
        weights=by.weights,
        class_names=names,
        task=found,
        feature_names=feature_names,
        value_range=value_range,
        scaling=_scaling(kind, options.scaling) if layout else "none",
        owned=owned and not on_disk,
    )
    data = weighted(replace(data, validation=validation or data.validation), given)
    if not layout:
        data = with_fields(data, options.scaling, notes)
    if kind_of(kind).looked_up:
        data = _looked_up(data, options.padding, notes)
    return replace(
        data,
        notes=tuple(notes),
        target_names=several_names(given.class_names, targets.shape[1]) if numbers else (),
        conditioning=conditioning,
        whole=kind == "table" and whole,
    )


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

    inputs, place = given.train[0], _place(given, 0)
    if isinstance(inputs, Mapping):
        return None, fields_of(inputs, f"data.path: {given.source}")
    layout = layout_of(inputs, shape, given.names[0], place, notes)
    owned = given.owned and not isinstance(inputs, np.memmap)
    return layout, samples_of(inputs, layout, place, owned=owned, later=True)


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


def own_split(
    pair: Pair | None,
    split: str,
    given: Given,
    inputs: Any,
    keys: tuple[str, ...],
    task: AskedTask,
    layout: Layout | None,
    conditioning: "Conditioning | None",
    ignored: int = IGNORED,
) -> "Split | None":
    """A split that was given, made as the training inputs were; None where it was not."""
    import torch

    from core.data.arrays.structured import fields_like
    from core.data.dataset import Split

    if pair is None:
        return None
    place = f"data.path: {given.source}, the {split} set"
    own_inputs: Any
    if isinstance(pair[0], Mapping):
        own_inputs = fields_like(inputs, pair[0], place)
    else:
        layout_of(pair[0], layout or "table", given.names[0], place, [])
        own_inputs = samples_of(pair[0], layout or "table", place)
    _check_pair(own_inputs, pair[1], place, given.names)
    answers = answers_of(pair[1], task, given.names[1], place, [])
    there, answers = without_ignored(answers, ignored, place, [])
    targets = torch.from_numpy(spread(targets_of(answers, keys, place), there, len(own_inputs)))
    if not layout:
        return _those(Split(own_inputs, targets, np.arange(len(targets))), there)
    kept = made_alike(own_inputs, inputs, conditioning, place)
    return _those(Split(torch.from_numpy(kept), targets, np.arange(len(targets))), there)


def arranged(array: np.ndarray, layout: Layout | None, name: str, place: str) -> np.ndarray:
    """Return inputs as `samples_of` does, once it is clear that they lie so.

    Args:
        layout: that of training inputs.
        name: of the inputs, and `place` where they stand, for messages.

    Raises:
        DataError: they lie otherwise.
    """
    layout_of(array, layout or "table", name, place, [])
    samples: np.ndarray = samples_of(array, layout or "table", place)
    return samples


def made_alike(
    own: np.ndarray, like: np.ndarray, conditioning: "Conditioning | None", place: str
) -> np.ndarray:
    """Return inputs (n, *sample_shape) in the type of training inputs, and conditioned as these.

    Raises:
        DataError: samples have another shape.
    """
    if own.shape[1:] != like.shape[1:]:
        raise DataError(
            f"{place} has inputs of the shape {shape_text(own)}, training inputs {shape_text(like)}",
            "Give both the same shape of samples",
        )
    return own.astype(like.dtype, copy=False) if conditioning is None else conditioning.apply(own)


def _is_apart(inputs: Any, given: Any) -> bool:
    """Return whether inputs were made here, not given: nobody else uses their memory."""
    both = isinstance(inputs, np.ndarray) and isinstance(given, np.ndarray)
    return both and not np.may_share_memory(inputs, given)


def _those(split: "Split", kept: np.ndarray) -> "Split":
    """Return some samples of a split; the split itself, not a copy, where they are all."""
    import torch

    return split if len(kept) == len(split) else split.rows(torch.from_numpy(kept))


def spread(targets: np.ndarray, kept: np.ndarray, total: int) -> np.ndarray:
    """Return targets of all samples, of which those that are not kept have a stand-in that nothing reads."""
    if len(kept) == total:
        return targets
    every = np.zeros((total, *targets.shape[1:]), targets.dtype)
    every[kept] = targets
    return every


def _check_pair(inputs: Any, answers: np.ndarray, place: str, names: tuple[str, str]) -> None:
    targets = len(answers) if answers.ndim else 1
    if len(inputs) == targets:
        return
    turned = [
        name
        for name, array, other in zip(names, (inputs, answers), (targets, len(inputs)), strict=True)
        if isinstance(array, np.ndarray) and other in array.shape[1:]
    ]
    raise DataError(
        f"{place} has {len(inputs):,} samples in {names[0]} and {targets:,} in {names[1]}",
        f"Samples come first: transpose {turned[0]}" if turned else "Give one target a sample",
    )


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


def _place(given: Given, which: int) -> str:
    return f"data.path: {given.source}, {given.names[which]}"
