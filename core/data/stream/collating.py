"""Samples joined to a batch: stacked, or by the user's own collate function."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import default_collate

from core.arrays import as_array
from core.counting import counted
from core.data.dataset import no_progress
from core.data.own.reading import read_samples, selected
from core.data.own.values import kind_of
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.stream.sources import Collate

__all__ = ["collated"]


def collated(
    samples: Sequence[Any], collate: "Collate | None", name: str, chosen: str = ""
) -> tuple[Any, Any]:
    """Return inputs and targets of a batch: arrays or tensors; of samples of several inputs a dict of these.

    Args:
        collate: the user's function, which is given a list of samples; None joins them as a set in memory is.
        name: of the data set, for messages.
        chosen: names of the inputs to take, of samples that have several; empty for all.

    Raises:
        DataError: samples are not pairs, or have different shapes.
    """
    if collate is not None:
        batch = collate(list(samples))
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise DataError(
                f"data.path: the collate function of {name} returned {kind_of(batch)}, not inputs and targets",
                "Return a pair: inputs, targets",
            )
        count = len(as_array(batch[1]))
        if count != len(samples):
            raise DataError(
                f"data.path: the collate function of {name} returned {counted(count, 'target')} for "
                f"{counted(len(samples), 'sample')}",
                "Return one of each, in their order; leave samples out, or make more of them, in the Dataset",
            )
        inputs = dict(enumerate(batch[0])) if isinstance(batch[0], tuple | list) else batch[0]
        return inputs, batch[1]
    if not chosen and _are_alike(samples):
        inputs, targets = zip(*samples, strict=True)
        if isinstance(inputs[0], torch.Tensor):
            return default_collate(list(inputs)), np.asarray(targets)  # into memory that a worker shares
        return np.stack(inputs), np.asarray(targets)
    read, of_all = read_samples(samples, f"a batch of {name}", no_progress)
    return selected(read, chosen), of_all


def _are_alike(samples: Sequence[Any]) -> bool:
    """Return whether samples are tensors, or arrays, of one shape and type, each with a number as its target."""
    if not set(map(type, samples)) <= {tuple, list} or set(map(len, samples)) != {2}:
        return False
    inputs, targets = zip(*samples, strict=True)
    kinds = set(map(type, inputs))
    if len(kinds) != 1 or not kinds <= {torch.Tensor, np.ndarray}:
        return False
    is_number = all(issubclass(kind, int | float) for kind in set(map(type, targets)))
    return is_number and len({(each.shape, each.dtype) for each in inputs}) == 1
