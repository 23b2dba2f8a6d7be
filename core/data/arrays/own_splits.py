"""Splits that a user gave beside the training samples: made as these were, and checked against them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.arrays.array_targets import IGNORED, answers_of, targets_of, without_ignored
from core.data.arrays.given import Given, Pair
from core.data.arrays.sample_shapes import Layout, layout_of, samples_of, shape_text
from core.data.targets import AskedTask
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.conditioning import Conditioning
    from core.data.dataset import Split

__all__ = ["arranged", "check_pair", "made_alike", "own_split", "spread"]


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
    check_pair(own_inputs, pair[1], place, given.names)
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


def check_pair(inputs: Any, answers: np.ndarray, place: str, names: tuple[str, str]) -> None:
    """Make sure that there is a target for each sample.

    Raises:
        DataError: there is not.
    """
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
