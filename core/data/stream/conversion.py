"""Batches as the user's code gives them, made what a split in memory would hold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.arrays import as_array
from core.counting import counted
from core.data.arrays.array_targets import (
    answers_of,
    are_labels,
    are_soft,
    classes_in,
    label_names,
    soft_labels,
    targets_of,
    without_ignored,
)
from core.data.arrays.given import Given
from core.data.arrays.own_splits import arranged, made_alike, own_split, spread
from core.data.arrays.sample_shapes import Layout, shape_text
from core.data.arrays.structured import fields_of
from core.data.dataset import Dataset
from core.data.inputs import Fields
from core.data.masks.classes import named
from core.data.masks.own_masks import are_masks, classes_of_masks, mask_numbers
from core.data.sequences import Ragged
from core.data.targets import LABELS, NUMBERS, SHARES, AskedTask
from core.data.text.token_ids import TokenIds
from core.errors import DataError
from core.tasks.multilabel import Multilabel
from core.tasks.registry import MASKS, task_for

__all__ = ["Conversion", "Labels", "as_inputs"]

MAX_NUMBER = 2**16
"""Of classes that are looked up by their number."""
AS_THEY_LIE = ("table", "channels_first", "signal", "other")
"""Layouts whose samples are taken as they lie."""


@dataclass(frozen=True)
class Labels:
    """Targets of all samples of each set that was returned.

    Attributes:
        task: its name, and `asked`: what targets of other sets are to be.
        keys: texts of the classes in the order of their numbers; empty for numbers and for labels.
        names: what classes, or labels, are called.
        targets: of each set, as a split in memory would hold them.
        kept: places of the samples of each set whose class is not the `ignored` one.
        pixels: values in masks that are classes, in the order of their numbers; empty for other targets.
    """

    task: str
    asked: AskedTask
    keys: tuple[str, ...]
    names: tuple[str, ...]
    targets: dict[str, np.ndarray]
    kept: dict[str, np.ndarray]
    ignored: int
    pixels: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        raw: Mapping[str, np.ndarray],
        names: tuple[str, ...],
        task: AskedTask,
        place: str,
        notes: list[str],
        ignored: int,
    ) -> "Labels":
        """Return what targets as the user's code gives them mean.

        Args:
            raw: of each set, ``train`` among them.
            names: of the classes, where they are known.
            place: where targets stand, for messages; `notes` takes what was inferred.
            ignored: class of samples that are left out.

        Raises:
            DataError: they do not go together, or it is not clear what they are.
        """
        if are_masks(raw["train"]):
            return cls._of_masks(raw, names, place, notes, ignored)
        answers = answers_of(raw["train"], task, "targets", place, notes, names)
        kept, answers = without_ignored(answers, ignored, place, notes)
        several, soft = label_names(answers.shape[1]) if are_labels(answers) else (), are_soft(answers)
        keys = tuple(map(str, range(answers.shape[1] if soft else len(names)))) if not several else ()
        if not several and answers.dtype.kind != "f":
            keys = keys or classes_in(answers, task, place)
        targets = {"train": spread(targets_of(answers, keys, place), kept, len(raw["train"]))}
        named = names if len(names) == len(several or keys) else several or keys
        found = Multilabel.name if several else task_for(len(keys))
        asked: AskedTask = LABELS if several else SHARES if soft else "classification" if keys else NUMBERS
        labels = cls(found, asked, keys, named, targets, {"train": kept}, ignored)
        for name in raw.keys() - {"train"}:
            labels.targets[name] = labels.numbers(raw[name], f"{place} of the {name} set")
            labels.kept[name] = labels.counting(raw[name])
        return labels

    @classmethod
    def _of_masks(
        cls,
        raw: Mapping[str, np.ndarray],
        names: tuple[str, ...],
        place: str,
        notes: list[str],
        ignored: int,
    ) -> "Labels":
        """Return what masks mean."""
        pixels = tuple(classes_of_masks(raw, names, place, notes))
        masks = {name: mask_numbers(each, pixels, place) for name, each in raw.items()}
        kept = {name: np.arange(len(each)) for name, each in masks.items()}
        return cls(MASKS, "auto", (), named(pixels, names), masks, kept, ignored, pixels)

    def counting(self, raw: np.ndarray) -> np.ndarray:
        """Return the places of targets that are not the ignored class."""
        is_class = self.asked == "classification" and raw.size == len(raw)
        return np.flatnonzero(raw.reshape(len(raw)) != self.ignored) if is_class else np.arange(len(raw))

    def numbers(self, raw: np.ndarray, place: str) -> np.ndarray:
        """Return targets as the user's code gives them as classes or numbers; any for the ignored class.

        Raises:
            DataError: there is a class that training samples do not have.
        """
        if self.pixels:
            return mask_numbers(raw, self.pixels, place)
        like = self.targets["train"]
        if like.ndim == 2 and like.shape[1] > 1:  # a batch may hold one value alone
            if raw.shape[1:] != like.shape[1:]:
                raise DataError(
                    f"{place} have the shape {shape_text(raw)}", f"Give {like.shape[1]} of each sample"
                )
            if self.asked == LABELS:
                if not np.isin(raw, (0, 1)).all():
                    raise DataError(f"{place} are other numbers than 0 and 1", "Give zeros and ones")
                return targets_of(raw.astype(np.uint8), (), place)
            if self.asked == SHARES:
                return soft_labels(raw, self.asked, place, [])
            return targets_of(raw.astype(np.float64), (), place)
        known = self._known(raw)
        if known is not None:
            return known
        kept = self.counting(raw)
        answers = answers_of(raw[kept], self.asked, "targets", place, [])
        return spread(targets_of(answers, self.keys, place), kept, len(raw))

    def _known(self, raw: np.ndarray) -> np.ndarray | None:
        """Return classes (n,) of whole numbers, looked up at once; None where these are to be looked at."""
        numbered = self._numbered
        if numbered is None or raw.ndim != 1 or raw.dtype.kind not in "iu" or not raw.size:
            return None
        if raw.min() < 0 or raw.max() >= len(numbered):
            return None
        found: np.ndarray = numbered[raw]
        return found if found.min() >= 0 else None

    @cached_property
    def _numbered(self) -> np.ndarray | None:
        """Return the class of each whole number from 0 on, -1 where there is none; None for other classes."""
        if self.asked != "classification" or not all(map(str.isdecimal, self.keys)):
            return None
        numbers = [int(key) for key in self.keys]
        if max(numbers) > MAX_NUMBER or [str(number) for number in numbers] != [*self.keys]:
            return None
        numbered = np.full(max(numbers) + 1, -1)
        numbered[numbers] = np.arange(len(numbers))
        return numbered


@dataclass(frozen=True)
class Conversion:
    """Makes the batches of one split.

    Attributes:
        base: a data set of some training samples in memory, which these are made like.
        layout: how inputs lie; None where there are several of each sample.
        is_collated: a collate function of the user's has made inputs what they are to be.
        limits: of the targets, whose heavy tails are clipped in training.
    """

    source: str
    split: str
    base: Dataset
    labels: Labels
    layout: Layout | None
    is_collated: bool
    limits: tuple[float, float] | None

    def __call__(self, inputs: Any, targets: Any) -> tuple[Any, Tensor]:
        """Return inputs and targets of a batch.

        Raises:
            DataError: they are not like those of the training samples.
        """
        place = f"data.path: {self.source}, a batch of the {self.split} set"
        raw = as_array(targets)
        if self.is_collated:
            joined = as_inputs(inputs, self.source)
            numbers = self.labels.numbers(raw, place)
            if len(joined) != len(numbers):
                raise DataError(
                    f"{place}: the collate function gave {counted(len(joined), 'input')} and "
                    f"{counted(len(numbers), 'target')}",
                    "Give one row of each a sample",
                )
            return joined, torch.from_numpy(self.clipped(numbers))
        if self._are_made(inputs):
            return inputs, torch.from_numpy(self.clipped(self.labels.numbers(raw, place)))
        base, made = self.base, self._made(inputs, len(raw), place)
        if isinstance(base.vocabulary, TokenIds) and not base.fields:
            made = torch.from_numpy(base.vocabulary.ids(made.numpy()))
        return _in_place(made, inputs), torch.from_numpy(self.clipped(self.labels.numbers(raw, place)))

    def _are_made(self, inputs: Any) -> bool:
        """Return whether inputs are a tensor of finite numbers that lies as those of the training samples do."""
        like = self.base.train.inputs
        return (
            self.layout in AS_THEY_LIE
            and self.base.conditioning is None
            and type(inputs) is Tensor
            and inputs.layout is torch.strided
            and not inputs.requires_grad
            and inputs.device.type == "cpu"
            and inputs.dtype == like.dtype == torch.float32
            and inputs.shape[1:] == like.shape[1:]
            and inputs.is_contiguous()
            and math.isfinite(inputs.sum())
        )

    def _made(self, inputs: Any, samples: int, place: str) -> Any:
        """Return inputs as those of the training samples are."""
        like = self.base.train.inputs[:1]
        if isinstance(like, Fields):
            given = Given((np.empty((0, 1)), np.empty(0)), source=self.source)
            pair = _padded_alike(inputs, like), np.zeros(samples)  # targets are read apart
            part = own_split(pair, self.split, given, like, (), NUMBERS, self.layout, None)
            assert part is not None
            return part.inputs[:]
        own = arranged(as_array(inputs), self.layout, "inputs", place)
        return torch.from_numpy(made_alike(own, like.numpy(), self.base.conditioning, place))

    def clipped(self, targets: np.ndarray) -> np.ndarray:
        """Return targets (n, ...) within the limits."""
        return targets.clip(*self.limits) if self.limits else targets


def as_inputs(inputs: Any, source: str) -> Tensor | Fields:
    """Return what a collate function made as a tensor, or as fields where it made several.

    Raises:
        DataError: it is something else.
    """
    if isinstance(inputs, Mapping):
        arrays = {name: as_array(part) for name, part in inputs.items()}
        return fields_of(arrays, f"data.path: {source}")
    if isinstance(inputs, Tensor):
        return inputs
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind in "fiub":
        return torch.from_numpy(inputs)
    raise DataError(
        f"data.path: the collate function of {source} returned inputs of type {type(inputs).__name__}",
        "Return tensors of inputs and of targets",
    )


def _padded_alike(inputs: Any, like: Fields) -> Any:
    """Return the fields of a batch, as sequences also where all of a batch happen to have one length."""
    if not isinstance(inputs, Mapping):
        inputs = {0: inputs}
    return {
        name: Ragged.of([*np.asarray(values)])
        if isinstance(like.columns.get(name), Ragged) and not isinstance(values, Ragged)
        else values
        if isinstance(values, Ragged)
        else as_array(values)
        for name, values in inputs.items()
    }


def _in_place(made: Any, inputs: Any) -> Any:
    """Return `inputs` itself where nothing was changed: a worker has put it where this process can read it."""
    if not isinstance(inputs, Tensor) or not isinstance(made, Tensor):
        return made
    same = made.shape == inputs.shape and made.dtype == inputs.dtype and made.data_ptr() == inputs.data_ptr()
    return inputs if same else made
