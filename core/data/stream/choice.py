"""Choice between the two feeds: in memory, or read anew in each epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, TensorDataset

from core.arrays import as_array
from core.data.own.reading import PEAK
from core.data.stream.answers import StreamedSet
from core.data.stream.options import Feed
from core.data.stream.seeds import FIXED, Draws, keeping_generators
from core.data.stream.sources import source_of
from core.machine import memory

__all__ = ["is_repeatable", "why_streamed"]

READ_TWICE = 8
"""First samples that are read twice: a random flip leaves one of two as it is."""
OTHER: Draws = (0, 0)
COPIES = PEAK
"""Of all samples, for which there must be memory while they are read and split."""
SPARE = 0.8
"""Part of the free memory that samples may take."""
RESIDENT = "data.feed=resident reads each sample once, and keeps it in memory"


def why_streamed(parts: Mapping[str, StreamedSet], feed: Feed, name: str) -> str:
    """Return in a sentence why these data sets are streamed; empty where they go into memory."""
    if feed == "resident":
        return ""
    if feed == "stream":
        return f"{name} is streamed, as data.feed says: samples are read anew in each epoch"
    sets = [part.dataset for part in parts.values()]
    if any(isinstance(dataset, IterableDataset) for dataset in sets):
        return f"{name} is streamed: it is an IterableDataset, and its samples come in its own order"
    if any(part.collate is not None for part in parts.values()):
        return f"{name} is streamed: it has a collate function of its own"
    if any(part.sampler is not None for part in parts.values()):
        return f"{name} is streamed: it has a sampler of its own"
    lazy = [dataset for dataset in sets if not isinstance(dataset, TensorDataset)]
    if any(not is_repeatable(dataset, FIXED, OTHER) for dataset in lazy):
        return (
            f"{name} is streamed: its samples differ when they are read twice, as with random augmentation, and are "
            f"read anew in each epoch; those of validation and test stay the same. {RESIDENT}"
        )
    needed, free = COPIES * sum(map(_bytes_of, lazy)), memory().available
    if needed > SPARE * free:
        return (
            f"{name} is streamed: its samples take {needed / COPIES / 2**30:.1f} GiB, "
            f"{COPIES} times while they are split, and {free / 2**30:.1f} GiB of memory are free. {RESIDENT}"
        )
    return ""


def is_repeatable(dataset: Any, one: Draws, other: Draws) -> bool:
    """Return whether the first samples of a map-style data set are the same with these random numbers and with those.

    A data set that cannot be read twice, or fails, counts as one that is: whoever reads it says what is wrong.
    """
    source = source_of(dataset)
    try:
        with keeping_generators():
            places = range(min(READ_TWICE, len(dataset)))
            return all(map(_same, source.read(one, places), source.read(other, places)))
    except Exception:
        return True


def _same(one: Any, other: Any) -> bool:
    """Return whether two samples are equal, NaN to NaN; what is no array is not looked at."""
    if isinstance(one, Mapping):
        return all(_same(one[key], other.get(key)) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    if not isinstance(one, np.ndarray | torch.Tensor | int | float | str):
        return True
    first, second = as_array(one), as_array(other)
    return first.shape == second.shape and np.array_equal(first, second, equal_nan=first.dtype.kind in "fc")


def _bytes_of(dataset: Any) -> int:
    """Return the bytes of all samples of a map-style data set, as far as its first one tells."""
    try:
        with keeping_generators():
            return (
                len(dataset) * sum(map(_nbytes, [source_of(dataset).read(FIXED, [0])[0]]))
                if len(dataset)
                else 0
            )
    except Exception:
        return 0


def _nbytes(sample: Any) -> int:
    if isinstance(sample, Mapping):
        return sum(map(_nbytes, sample.values()))
    if isinstance(sample, tuple | list):
        return sum(map(_nbytes, sample))
    return int(as_array(sample).nbytes) if isinstance(sample, np.ndarray | torch.Tensor) else 8
