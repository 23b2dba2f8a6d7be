"""Answers of a user's function that can be streamed: data sets, with a collate function or a DataLoader around them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    default_collate,
)

from core.data.stream.sources import Collate
from core.errors import DataError

__all__ = ["SPLIT_NAMES", "StreamedSet", "parts_in"]

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Keys of a dict of splits, and what they mean."""


@dataclass(frozen=True)
class StreamedSet:
    """A data set of one split, or of all of them.

    Attributes:
        collate: the user's function that joins samples to a batch; None stacks them.
        sampler: the user's order of an epoch; None shuffles.
        notes: what a DataLoader around it says that is set elsewhere.
    """

    dataset: Any
    collate: Collate | None = None
    sampler: Any = None
    notes: tuple[str, ...] = ()


def parts_in(made: Any, source: str) -> dict[str, StreamedSet] | None:
    """Return the data sets that a user's function returned, by their split; None where it holds anything else.

    That is one data set, or two (train, test), or three (train, validation, test), or a dict of them; each may be a
    torch Dataset, a pair of it and a collate function, or a DataLoader.

    Raises:
        DataError: a DataLoader makes batches in a way that cannot be kept.
    """
    single = _part(made, source)
    if single is not None:
        return {"train": single}
    if isinstance(made, Mapping):
        named = {SPLIT_NAMES.get(str(key).lower(), ""): value for key, value in made.items()}
        if len(named) != len(made) or "" in named or "train" not in named:
            return None
    elif isinstance(made, tuple | list) and len(made) in (2, 3):
        named = dict(
            zip(("train", "test") if len(made) == 2 else ("train", "validation", "test"), made, strict=True)
        )
    else:
        return None
    parts = {name: _part(value, source) for name, value in named.items()}
    found = {name: part for name, part in parts.items() if part is not None}
    return found if len(found) == len(named) else None


def _part(value: Any, source: str) -> StreamedSet | None:
    """Return one data set with what belongs to it; None where a value is anything else."""
    if isinstance(value, DataLoader):
        return _of_loader(value, source)
    if isinstance(value, Dataset):
        return StreamedSet(value)
    is_pair = isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], Dataset)
    if is_pair and callable(value[1]) and not isinstance(value[1], Dataset | DataLoader | type):
        return StreamedSet(value[0], value[1])
    return None


def _of_loader(loader: "DataLoader[Any]", source: str) -> StreamedSet:
    """Return the data set of a DataLoader with its collate function and its sampler; batches are made here."""
    batches: Any = loader.batch_sampler
    if loader.batch_size is None:
        raise DataError(
            f"data.path: the DataLoader of {source} has a batch sampler of its own",
            "Return its data set, or a loader with a sampler: training.batch_size says how large batches are",
        )
    sampler = getattr(batches, "sampler", None)
    usual = (
        sampler is None
        or isinstance(loader.dataset, IterableDataset)
        or isinstance(sampler, SequentialSampler)
        or (isinstance(sampler, RandomSampler) and not sampler.replacement)
    )
    collate = None if loader.collate_fn is default_collate else loader.collate_fn
    note = (
        f"{source} returned a DataLoader: its data set{', collate function' if collate else ''}"
        f"{'' if usual else ' and sampler'} {'is' if usual and not collate else 'are'} used; "
        "training.batch_size, training.sampling and data.workers say the rest"
    )
    return StreamedSet(loader.dataset, collate, None if usual else sampler, (note,))
