"""Runs of one configuration with several seeds: what is compared is their mean, beside how much they vary."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.runs.comparison.batches import batches
from core.runs.comparison.entries import Entry
from core.runs.folder import Run
from core.runs.history.series import NO_POINTS, Floats, Points

__all__ = ["RunGroup", "grouped", "key_of", "mean_points", "started_twice"]


@dataclass(frozen=True, eq=False)
class RunGroup:
    """Runs that differ in their seed alone; often a single run."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """Return the run that the group is named after."""
        return self.entries[0]

    @property
    def is_repeated(self) -> bool:
        """Return whether it has several runs."""
        return len(self.entries) > 1

    @property
    def seeds(self) -> list[int]:
        """Return the seed of each run that has one."""
        found = [_seed(entry.config) for entry in self.entries]
        return [seed for seed in found if isinstance(seed, int)]


def grouped(entries: Sequence[Entry], apart: Collection[Run] = ()) -> list[RunGroup]:
    """Return the groups of some runs in the order of their first ones; a seed counts once in each.

    Seeds that were started twice are two groups, see `core.runs.comparison.batches`.

    Args:
        apart: runs that stay on their own.
    """
    alike: dict[str, list[Entry]] = {}
    for entry in entries:
        key = "" if entry.run in apart else key_of(entry.config)
        alike.setdefault(key or str(entry.run.path.resolve()), []).append(entry)
    group_of = {
        run: batch[0]
        for members in alike.values()
        for batch in batches((entry.run, str(_seed(entry.config))) for entry in members)
        for run in batch
    }
    found: dict[Run, list[Entry]] = {}
    for entry in entries:
        found.setdefault(group_of[entry.run], []).append(entry)
    return [RunGroup(tuple(sorted(members, key=_order))) for members in found.values()]


def started_twice(groups: Sequence[RunGroup]) -> str:
    """Return that several groups are seeds of one configuration, in one sentence; empty if none are."""
    keys = Counter(key for group in groups if group.is_repeated and (key := key_of(group.first.config)))
    count = max(keys.values(), default=0)
    return f"{count} groups are seeds of one configuration, started {count} times" if count > 1 else ""


def key_of(config: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a text that is the same for configurations that differ in their seed alone; empty without a seed."""
    if _seed(config) is None:
        return ""
    training = {name: value for name, value in config["training"].items() if name != "seed"}
    return json.dumps({**config, "training": training}, sort_keys=True, default=str)


def _seed(config: Mapping[str, Mapping[str, Any]]) -> Any:
    section = config.get("training")
    return section.get("seed") if isinstance(section, Mapping) else None


def _order(entry: Entry) -> tuple[int, str]:
    seed = _seed(entry.config)
    return (seed, "") if isinstance(seed, int) else (0, str(seed))


def mean_points(lines: Sequence[Points]) -> tuple[Floats, Floats, Floats]:
    """Return where several curves are known, their mean there, and their sample standard deviation.

    The means end where the shortest curve does: beyond it they would be those of other runs.
    """
    if not lines or not all(len(x) for x, _ in lines):
        return (*NO_POINTS, NO_POINTS[1])
    begin, end = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    grid = np.unique(np.concatenate([x for x, _ in lines]))
    grid = grid[(grid >= begin) & (grid <= end)]
    values = np.array([np.interp(grid, x, y) for x, y in lines])
    deviation = values.std(axis=0, ddof=1) if len(lines) > 1 else np.zeros(len(grid))
    return grid, values.mean(axis=0), deviation
