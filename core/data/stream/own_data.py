"""From the data sets that a user's function returned to a streamed data set: classes, splits and statistics."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from core.arrays import as_array
from core.data.arrays.array_samples import dataset_of, positions_of, split_by
from core.data.arrays.array_targets import several_names
from core.data.arrays.conditioned import target_limits
from core.data.arrays.given import Given
from core.data.arrays.sample_shapes import ArrayShape, Layout, layout_of, shape_text
from core.data.arrays.sample_weights import weighted
from core.data.dataset import Dataset, Progress, Split
from core.data.division.by import SplitBy
from core.data.division.facts import division_notes
from core.data.masks.mask_arrays import mask_layout
from core.data.masks.own_masks import template
from core.data.own.python_samples import attributes_of, own_weights
from core.data.sequences import Ragged
from core.data.stream.answers import StreamedSet, parts_in
from core.data.stream.choice import is_repeatable, why_streamed
from core.data.stream.conversion import Conversion, Labels, as_inputs
from core.data.stream.first_pass import all_targets, batch_size, bytes_of
from core.data.stream.loader import Workers, read_all, workers_of
from core.data.stream.reader import Reader, Wanted
from core.data.stream.rows import StreamedRows
from core.data.stream.samplers import order_of
from core.data.stream.seeds import FIXED
from core.data.stream.sources import source_of
from core.errors import DataError
from core.tasks.registry import task_of

__all__ = ["streamed"]

SAMPLE_BYTES = 32 << 20
"""Of training samples that statistics come from; of more samples, so many bytes of them are drawn."""
MIN_SAMPLE = 16
SEED = 0
SPLITS = ("train", "validation", "test")
UNSEEDED = (
    "samples differ each time that they are read, also from the same seed: a run cannot be repeated or resumed "
    "exactly. Draw random numbers from the global generators of Python, NumPy or PyTorch, seeded for each sample"
)


def streamed(made: Any, options: Any, source: str, progress: Progress) -> Dataset | None:
    """Return the data set that a user's function returned, to be read while a network trains; None to read it now.

    Args:
        made: what the function returned.
        options: of the data set: `core.data.own.python.PythonData`.
        source: the function, for messages.

    Raises:
        TorchtuiError: the user's code fails, gives something else than samples, or cannot be streamed as asked.
    """
    parts = parts_in(made, source)
    if parts is None:
        if options.feed == "stream":
            raise DataError(
                f"data.feed: stream, but {source} returned no torch Dataset",
                "Return a Dataset or an IterableDataset, or set data.feed to auto",
            )
        return None
    why = why_streamed(parts, options.feed, source)
    return _Streaming(parts, options, source, progress, why).dataset() if why else None


class _Streaming:
    """Puts a streamed data set together."""

    def __init__(
        self, parts: Mapping[str, StreamedSet], options: Any, source: str, progress: Progress, why: str
    ) -> None:
        self.parts, self.options, self.source, self.progress = parts, options, source, progress
        self.by = SplitBy()
        self.notes = [why, *dict.fromkeys(note for part in parts.values() for note in part.notes)]
        self.workers = workers_of(options)
        self.readers = {
            name: Reader(
                source_of(part.dataset),
                part.collate,
                source if name == "train" else f"{source} ({name})",
                options.inputs,
            )
            for name, part in parts.items()
        }

    def dataset(self) -> Dataset:
        labels = self._labels()
        places = self._places(labels)
        limits = None
        if task_of(labels.task).targets == "numbers":
            limits = target_limits(labels.targets["train"], places["train"], "targets", self.notes)
        base, layout = self._base(labels, places["train"])
        self._note_batches(labels, base)
        splits = {}
        for split in SPLITS:
            clip = limits if split == "train" else None
            is_collated = self.parts["train"].collate is not None
            conversion = Conversion(self.source, split, base, labels, layout, is_collated, clip)
            splits[split] = self._split(split, conversion, places)
        self._note_unseeded()
        mean, std = task_of(labels.task).scale(splits["train"].targets)
        data = replace(
            base,
            train=splits["train"],
            validation=splits["validation"],
            test=splits["test"],
            target_mean=mean,
            target_std=std,
            target_names=several_names((), len(mean)) if len(mean) > 1 else (),
            notes=tuple(self.notes),
        )
        return weighted(data, self._given_weights(labels))

    def _given_weights(self, labels: Labels) -> Given:
        """Return the weights that sets for validation and test have, beside the targets of all sets."""
        pairs: dict[str, Any] = {
            name: (np.empty((0, 1)), targets) for name, targets in labels.targets.items()
        }
        sets = {name: part.dataset for name, part in self.parts.items()}
        weights = own_weights(sets, self.options.weight, self.source)
        return Given(
            pairs["train"], pairs.get("validation"), pairs.get("test"), source=self.source, weights=weights
        )

    def _labels(self) -> Labels:
        """Return the targets of all samples, and the classes among them."""
        raw = {
            name: all_targets(reader, self.workers, self.progress) for name, reader in self.readers.items()
        }
        if not len(raw["train"]):
            raise DataError(f"data.path: {self.source} has no samples", "Return a set that has some")
        classes = getattr(self.parts["train"].dataset, "classes", ())
        names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
        place = f"data.path: {self.source}, targets"
        return Labels.of(raw, names, self.options.task, place, self.notes, self.options.ignore_index)

    def _places(self, labels: Labels) -> dict[str, np.ndarray]:
        """Return the places of the splits that are taken from the training set, and of sets of their own."""
        targets, nothing = labels.targets["train"], (np.empty((0, 1)), np.empty(0))
        options = self.options
        wanted = (options.group, options.time, options.split, options.weight)
        columns = attributes_of(self.parts["train"].dataset, wanted, self.source)
        given = Given(
            nothing,
            validation=nothing if "validation" in self.parts else None,
            test=nothing if "test" in self.parts else None,
            source=self.source,
            columns=columns,
        )
        by, kept = split_by(options, given, len(targets)), labels.kept["train"]
        names = () if labels.pixels else labels.names
        found = positions_of(options, targets[kept], labels.task, names, by.at(kept), given)
        found = {split: kept[at].astype(np.int64) for split, at in found.items()}
        self.notes += division_notes(options, by, found)
        self.by = by
        return found | {name: at for name, at in labels.kept.items() if name != "train"}

    def _base(self, labels: Labels, train: np.ndarray) -> tuple[Dataset, Layout | None]:
        """Return a data set of some training samples, with the statistics of them, and how their arrays lie."""
        is_collated = self.parts["train"].collate is not None
        inputs, chosen = self._first(train) if is_collated else self._sample(train)
        if labels.pixels and isinstance(inputs, Mapping):
            raise DataError(
                f"data.path: {self.source} gives masks beside several inputs",
                "Give one image a sample, or name it with data.inputs",
            )
        if is_collated and not isinstance(inputs, Mapping):
            return self._as_collated(labels, inputs, chosen), None
        targets = labels.targets["train"][chosen]
        if labels.pixels:
            targets = template(targets, len(labels.names))
        rows = _two_that_differ(targets)
        some = (
            {
                name: part[torch.from_numpy(rows)] if isinstance(part, Ragged) else part[rows]
                for name, part in inputs.items()
            }
            if isinstance(inputs, Mapping)
            else inputs[rows]
        )
        given = Given(
            (inputs, targets),
            validation=(some, targets[rows]),
            test=(some, targets[rows]),
            source=self.source,
            class_names=labels.names,
        )
        updates = {"folds": 0, "group": "", "time": "", "split": "", "weight": ""}
        options = self.options.model_copy(update={**updates, "scaling": "none"} if is_collated else updates)
        layout = None
        if not isinstance(inputs, Mapping):
            place = f"data.path: {self.source}, inputs"
            layout = (
                self._layout_of_images(inputs, targets, options.shape)
                if labels.pixels
                else layout_of(inputs, options.shape, given.names[0], place, [])
            )
        data = dataset_of(given, options, options.name, labels.asked, options.shape)
        self.notes += [note for note in data.notes if not note.startswith(("targets", "masks"))]
        return data, None if data.fields else layout

    def _layout_of_images(self, inputs: np.ndarray, masks: np.ndarray, shape: ArrayShape) -> Layout:
        """Return how images lie that have masks.

        Raises:
            DataError: images and masks have different sizes.
        """
        found = mask_layout(inputs.shape, masks.shape)
        if found is None:
            raise DataError(
                f"data.path: {self.source} has images of the shape {shape_text(inputs)} and masks of "
                f"{shape_text(masks)}",
                "Give each image a mask of its height and width",
            )
        return shape if shape in ("channels_first", "channels_last") else found

    def _sample(self, train: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return the inputs of training samples, all or some of them, and the places of these."""
        reader = self.readers["train"]
        some = train[:MIN_SAMPLE].tolist()
        first, _ = reader.read(Wanted(FIXED, some))
        count = max(MIN_SAMPLE, SAMPLE_BYTES * len(some) // max(1, bytes_of(first)))
        chosen = train
        if len(train) > count:
            chosen = np.sort(np.random.default_rng(SEED).choice(train, count, replace=False))
            self.notes.append(
                f"mean and deviation come from {count:,} of {len(train):,} training samples, drawn at random"
            )
        whole = isinstance(first, Mapping)  # sequences are joined at once: their lengths differ
        size = len(chosen) if whole else batch_size(bytes_of(first) // len(some))
        tasks = [Wanted(FIXED, chosen[at : at + size].tolist()) for at in range(0, len(chosen), size)]
        workers = Workers() if whole else self.workers
        read = [inputs for inputs, _ in read_all(reader, tasks, workers, should_stop=self._poll)]
        return (read[0] if whole else np.concatenate([as_array(part) for part in read])), chosen

    def _poll(self) -> bool:
        """Let whoever watches the progress end it, by raising an error."""
        self.progress(f"reading {self.source}", 0, 0)
        return False

    def _first(self, train: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return the first training samples as the user's collate function joins them, and their places."""
        self.notes.append("inputs are passed on as the collate function makes them: nothing is scaled")
        some = train[:MIN_SAMPLE]
        inputs, _ = self.readers["train"].read(Wanted(FIXED, some.tolist()))
        if isinstance(inputs, Mapping):
            return {name: as_array(part) for name, part in inputs.items()}, some
        return as_inputs(inputs, self.source), some

    def _as_collated(self, labels: Labels, made: torch.Tensor, some: np.ndarray) -> Dataset:
        """Return a data set whose inputs are one tensor, as the user's collate function makes it."""
        split = Split(made, torch.from_numpy(labels.targets["train"][some]), some)
        return Dataset(
            name=self.options.name,
            kind="image" if made.ndim == 4 else "table" if made.ndim == 2 else "other",
            task=labels.task,
            train=split,
            validation=split,
            test=split,
            class_names=labels.names,
            feature_names=(),
            mean=torch.tensor(0.0),
            std=torch.tensor(1.0),
            target_mean=(0.0,),
            target_std=(1.0,),
            value_range=(0.0, 255.0) if made.dtype == torch.uint8 else _range_of(made),
            ids=not made.is_floating_point() and made.dtype != torch.uint8,
        )

    def _split(self, split: str, conversion: Conversion, places: Mapping[str, np.ndarray]) -> Split:
        """Return a split, of a set of its own or taken from the training set."""
        own = split != "train" and split in self.parts
        name = split if own else "train"
        targets = conversion.labels.targets[name]
        rows, by = places[split], SplitBy() if own else self.by
        reader = self.readers[name].converting(conversion)
        whole = split == "train" and len(rows) == len(targets)
        may_differ = whole or (split == "train" and not reader.source.in_order)
        inputs: Any = StreamedRows(
            reader=reader,
            rows=rows,
            example=conversion.base.train.inputs[:1],
            workers=self.workers,
            order=self._order(rows, len(targets)) if split == "train" else None,
            expected=None if may_differ else torch.from_numpy(targets),
        )
        return Split(
            inputs,
            torch.from_numpy(conversion.clipped(targets[rows])),
            rows,
            weights=None if by.weights is None else torch.from_numpy(by.weights[rows]),
            groups=None if by.groups is None else by.groups.codes[rows],
        )

    def _order(self, rows: np.ndarray, total: int) -> Callable[[tuple[int, int]], np.ndarray] | None:
        """Return the order of the user's sampler.

        Raises:
            DataError: it would draw samples that are held out, or another number of them.
        """
        sampler = self.parts["train"].sampler
        if sampler is None:
            return None
        if len(rows) != total:
            raise DataError(
                f"data.path: the sampler of {self.source} draws from all samples, also from those that are held out",
                "Return sets for validation and test of their own",
            )
        return order_of(sampler, total, self.source)

    def _note_batches(self, labels: Labels, base: Dataset) -> None:
        """Report samples that look like whole batches: as many rows of inputs as targets each."""
        several, shape = labels.targets["train"].shape[1:], base.sample_shape
        if len(several) == 1 and several[0] > 1 and len(shape) > 1 and shape[0] == several[0]:
            self.notes.append(
                f"samples have {several[0]} targets and inputs of as many rows: if {self.source} gives batches, "
                "let it give their samples one by one"
            )

    def _note_unseeded(self) -> None:
        lazy = [reader.source.dataset for reader in self.readers.values() if not reader.source.in_order]
        if not all(is_repeatable(dataset, FIXED, FIXED) for dataset in lazy):
            self.notes.append(f"{self.source}: {UNSEEDED}")


def _two_that_differ(targets: np.ndarray) -> np.ndarray:
    """Return the positions of the first sample and of one with another target; of the first alone if there is none."""
    others = np.flatnonzero((targets != targets[:1]).reshape(len(targets), -1).any(axis=1))
    return np.concatenate([[0], others[:1]]).astype(np.int64)


def _range_of(inputs: torch.Tensor) -> tuple[float, float]:
    low, high = float(inputs.min()), float(inputs.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1)
