"""Overview of a dataset before training: sizes, samples, ranges of values, balance of classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from core.arrays import as_pixels
from core.counting import counted
from core.data.dataset import Dataset, Split
from core.data.kinds.registry import KindName, kind_of
from core.data.kinds.sample import Sample
from core.data.kinds.shown import shown_columns, shown_fields
from core.losses.base import TargetFacts
from core.tasks.registry import task_of
from tui.terminal.text import number

if TYPE_CHECKING:
    from core.data.inputs import Fields
    from core.data.tables.summary import ColumnSummary

__all__ = ["ColumnFacts", "DataFacts", "data_facts"]

SAMPLES = 10
"""Of the preview."""
MORE_SAMPLES = 60
"""Of the Data view."""
BINS = 8
MEASURED = 2000
"""Maximum number of samples read to find the range of values, for images and rows on disk."""


@dataclass(frozen=True)
class ColumnFacts:
    """The values of one column of a table, or of one channel of images, as texts; `missing` counts rows."""

    name: str
    holds: str
    values: str
    missing: int = 0


@dataclass(frozen=True)
class DataFacts:
    """Overview of a dataset.

    Attributes:
        sizes: samples of each split.
        feature_names: the columns of `samples`; of a table from a file those of the file.
        balance: (label, count) of each class of the training split, or of each bin of a regression target.
        samples: some training samples: (n, height, width, 3) uint8 of images, (n, columns) numbers or texts of tables,
            (n, channels, time) of signals, (n, 1) texts.
        labels: target of each of them.
        size: bytes of the training and validation splits.
        more: as `samples`, more of them, with their labels; for the Data view.
        spreads: of each column or channel.
        counts: of each split, samples of each class or bin, in the order of `balance`.
        notes: findings and guesses made while loading it.
        warnings: what looks suspicious about its splits, with what to do.
    """

    name: str
    task: str
    sizes: Mapping[str, int]
    sample: Sample
    outputs: int
    own_order: str
    target_facts: TargetFacts
    feature_names: tuple[str, ...]
    balance: tuple[tuple[str, int], ...]
    samples: NDArray[np.generic]
    labels: tuple[str, ...]
    size: int
    more: tuple[NDArray[np.generic], tuple[str, ...]] = (np.zeros((0, 0)), ())
    spreads: tuple[ColumnFacts, ...] = ()
    counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def kind(self) -> KindName:
        """Return the kind of the samples."""
        return self.sample.kind

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Return the shape of one input."""
        return self.sample.shape

    @property
    def has_numbers(self) -> bool:
        """Return whether targets are numbers, not classes."""
        return task_of(self.task).targets == "numbers"

    @property
    def has_labels(self) -> bool:
        """Return whether a sample has several labels."""
        return task_of(self.task).several_labels


def data_facts(data: Dataset) -> DataFacts:
    """Return the overview of a dataset."""
    train = data.train
    strata = task_of(data.task).strata(train.targets.numpy())
    first = np.arange(len(train))[:SAMPLES] if strata is None else _one_of_each(strata)
    samples, labels = _samples(data, first)
    held = (data.train, data.validation)
    names, counts = _counts(data)
    return DataFacts(
        name=data.name,
        task=data.task,
        sizes={name: len(split) for name, split in data.splits.items()},
        sample=data.sample,
        outputs=data.outputs,
        own_order=data.own_order,
        target_facts=data.target_facts,
        feature_names=shown_columns(data),
        balance=tuple(zip(names, counts["train"], strict=True)),
        samples=samples,
        labels=labels,
        size=sum(tensor.nbytes for split in held for tensor in (split.inputs, split.targets)),
        more=_samples(data, np.arange(len(train))[:MORE_SAMPLES]),
        spreads=_spreads(data),
        counts=counts,
        notes=data.notes,
        warnings=data.warnings,
    )


def _one_of_each(targets: NDArray[np.int64]) -> NDArray[np.intp]:
    """The position of the first sample of each of the first classes."""
    _, first = np.unique(targets, return_index=True)
    return first[:SAMPLES]


def _samples(data: Dataset, at: NDArray[np.intp]) -> tuple[NDArray[np.generic], tuple[str, ...]]:
    """Return training samples to show, and the target of each."""
    train = data.train
    label = task_of(data.task).label
    labels = tuple(label(target, data.class_names) for target in train.targets[at])
    if data.table is not None:
        rows = data.table.rows("train", train.indices[at]).rows()
        return np.array(rows, dtype=str).reshape(len(at), -1), labels
    if data.documents is not None:
        texts = [data.documents.text(int(train.indices[place])) for place in at]
        return np.array(texts, dtype=str).reshape(len(at), 1), labels
    if shown_fields(data):
        from core.data.shown import field_texts

        some = cast("Fields", train.inputs[at])  # of a stream read in one pass
        values = [field_texts(some, data.fields, place) for place in range(len(at))]
        return np.array(values, dtype=str).reshape(len(at), -1), labels
    inputs = data.in_unit(train.inputs[at]).numpy()
    if data.vocabulary is not None:
        return np.array([data.vocabulary.texts(ids) for ids in inputs], dtype=str).reshape(len(at), 1), labels
    return (_pictures(inputs, data.value_range) if kind_of(data.kind).shown == "picture" else inputs), labels


def _counts(data: Dataset) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """Names of classes, or spans of a regression's first target, and the samples of each in each split."""
    if data.class_names:
        bins, names = len(data.class_names), data.class_names

        def samples_of(split: Split) -> NDArray[np.int64]:
            return np.array(task_of(data.task).class_counts(split.targets, bins), dtype=np.int64)
    else:
        _, edges = np.histogram(data.train.targets[:, 0].numpy(), bins=BINS)
        of = f"{data.target_names[0]} " if data.target_names else ""
        names = tuple(f"{of}{low:.3g} … {high:.3g}" for low, high in pairwise(edges))

        def samples_of(split: Split) -> NDArray[np.int64]:
            return np.histogram(np.clip(split.targets[:, 0].numpy(), edges[0], edges[-1]), bins=edges)[0]

    return names, {name: tuple(samples_of(split).tolist()) for name, split in data.splits.items()}


def _spreads(data: Dataset) -> tuple[ColumnFacts, ...]:
    if data.table is not None:
        return tuple(map(_spread, data.table.summaries))
    if shown_fields(data):
        return tuple(
            ColumnFacts(field.title, field.form, f"{low:.6g} … {high:.6g}, {field.done}")
            for field in data.fields
            for low, high in (field.value_range,)
        )
    from torch import Tensor

    from core.data.mapped import HeldRows

    inputs, kind = data.train.inputs, kind_of(data.kind)
    if data.vocabulary is not None:  # ids are names: their mean at a place says nothing
        known = f"{counted(data.vocabulary.size, 'id')}, {kind.form(data.sample)}"
        return (ColumnFacts(kind.name, kind.holds, known),)
    is_whole = kind.statistics == "columns" and isinstance(inputs, Tensor | HeldRows)
    inputs = inputs[:] if is_whole else inputs[:MEASURED]
    inputs = data.in_unit(inputs)
    inputs = inputs if inputs.is_floating_point() else inputs.float()
    values = inputs.transpose(0, 1).flatten(1) if len(data.train) else inputs.T
    if not values.numel():
        return ()
    names = data.feature_names or kind.part_names(len(values))
    parts = zip(names, values.amin(1).tolist(), values.amax(1).tolist(), values.mean(1).tolist(), strict=True)
    return tuple(
        ColumnFacts(name, kind.holds, f"{low:.6g} … {high:.6g}, mean {number(mean)}")
        for name, low, high, mean in parts
    )


def _spread(column: "ColumnSummary") -> ColumnFacts:
    words = {"number": "numbers", "date": "dates", "text": "categories"}
    if column.kind == "text":
        values = f"{column.different:,} different, mostly {column.frequent}" if column.different else ""
    else:
        values = f"{column.low} … {column.high}" if column.low else ""
    return ColumnFacts(column.name, words[column.kind], values, column.missing)


def _pictures(inputs: NDArray[np.generic], value_range: tuple[float, float]) -> NDArray[np.uint8]:
    """Images (n, channels, height, width) as (n, height, width, 3) bytes; grey ones get three equal channels."""
    grey = inputs.shape[1] not in (3, 4)
    channels = np.repeat(inputs[:, :1], 3, axis=1) if grey else inputs[:, :3]
    return as_pixels(channels, value_range).transpose(0, 2, 3, 1)
