"""Facts of how a data set was divided: sizes, groups and times of each split, as lines and as plain values."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.counting import counted
from core.data.division.by import SplitBy
from core.data.division.times import shown_time

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from core.data.options import DataOptions

__all__ = ["digests", "division_notes"]


def division_notes(options: "DataOptions", by: SplitBy, parts: Mapping[str, np.ndarray]) -> list[str]:
    """Return lines that report how samples were divided.

    Args:
        parts: positions of the samples of each split.
    """
    return [*by.notes, *_groups(options, by, parts), *_times(options, by, parts)]


def _groups(options: "DataOptions", by: SplitBy, parts: Mapping[str, np.ndarray]) -> Iterator[str]:
    if by.groups is None:
        return
    counts = {name: by.groups.counted(at) for name, at in parts.items() if len(at)}
    listed = ", ".join(
        f"{count:,} in {name} ({counted(len(parts[name]), 'sample')})" for name, count in counts.items()
    )
    found = np.concatenate([np.unique(by.groups.codes[at]) for at in parts.values()])
    times = np.unique(found, return_counts=True)[1]
    total, straddling = len(times), int((times > 1).sum())
    apart = (
        "no group is in two splits"
        if not straddling
        else (f"{straddling:,} of {total:,} groups are in more than one split, as data.split puts them")
    )
    yield f"groups of {options.group}: {listed}; {apart}"
    if by.groups.alone:
        yield f"{by.groups.alone:,} samples without a {options.group} are groups of their own"


def _times(options: "DataOptions", by: SplitBy, parts: Mapping[str, np.ndarray]) -> Iterator[str]:
    if by.times is None:
        return
    spans = {name: by.times[at] for name, at in parts.items() if len(at)}
    listed = ", ".join(
        f"{name} {shown_time(span.min(), by.dated)} … {shown_time(span.max(), by.dated)} "
        f"({counted(len(span), 'sample')})"
        for name, span in spans.items()
    )
    yield f"times of {options.time}: {listed}"
    unused = (
        len(by.times)
        - sum(map(len, parts.values()))
        - (0 if by.assigned is None else int((by.assigned < 0).sum()))
    )
    if unused > 0:
        why = (
            ["the gap"] * (by.gap > 0)
            + ["later folds"] * bool(options.folds)
            + ["groups of later splits"] * (by.groups is not None)
        )
        which = counted(unused, "sample that belongs", "samples that belong")
        yield f"left out {which} to no split: {' and '.join(why)}"


def digests(data: "Dataset") -> dict[str, str]:
    """Return a digest of the positions of the samples of each split that has some."""
    return {
        name: hashlib.sha256(np.ascontiguousarray(split.indices, dtype=np.int64).data).hexdigest()
        for name, split in data.splits.items()
        if len(split)
    }
