"""Final metrics of runs side by side: which ones lead, and which others are level with them.

Runs that were evaluated on the same samples are compared sample by sample; several seeds of one configuration stand
for it by their mean. See ``core.evaluation.paired``.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.errors import RunDamaged
from core.evaluation.paired import (
    MAX_CELLS,
    Difference,
    Repeated,
    paired_differences,
    repeated_difference,
    same_samples,
)
from core.evaluation.predictions import Predictions
from core.metrics import METRICS, lower_is_better
from core.palette import MAX_RUNS
from core.runs.comparison.curves import own_directions
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup
from core.runs.comparison.ranking import why_unranked
from core.runs.comparison.settings import not_comparable

__all__ = ["MARKS", "PARTS", "Score", "Standings", "standings"]

MARKS: Final = "★ leads  ≈ not clearly worse"
"""What the signs of the standings mean."""
PARTS: Final = "2/3: the mean of 2 of 3 seeds, as the answers of the others do not define the metric"
"""What a fraction below a mean means."""


@dataclass(frozen=True)
class Score:
    """A final number of a run, or of several that differ in their seed.

    Attributes:
        value: of several runs their mean.
        interval: 95 %, of a single run where there is one.
        deviation: sample standard deviation of several runs.
        runs: the number of runs that have the metric.
        evaluated: the number of runs that were evaluated; the answers of some may not define the metric.
    """

    value: float
    interval: tuple[float, float] | None = None
    deviation: float | None = None
    runs: int = 1
    evaluated: int = 1

    @property
    def part(self) -> str:
        """Return of how many of the runs it is the mean, ``2/3``; empty if of all."""
        return f"{self.runs}/{self.evaluated}" if self.runs < self.evaluated else ""


@dataclass(frozen=True)
class Standings:
    """One metric of all groups.

    Attributes:
        scores: in the order of the groups; None where none of its runs has it.
        leaders: places of the best one and its equals; empty without any, or where the groups do not compare.
        level: places of those that are not clearly worse than the leader.
        differences: of each group from the leader, on the same samples; None where these are not known.
    """

    metric: str
    scores: tuple[Score | None, ...]
    leaders: frozenset[int]
    level: frozenset[int]
    differences: tuple[Difference | None, ...]

    @property
    def leader(self) -> int | None:
        """Return the place of the first one that leads."""
        return min(self.leaders, default=None)

    @property
    def is_tested(self) -> bool:
        """Return whether something shows how much chance is in each difference from the leader, if there is one."""
        others = [place for place, score in enumerate(self.scores) if score and place not in self.leaders]
        return not self.leaders or all(
            self.differences[place] is not None or _has_interval(self.scores[place]) for place in others
        )


def _has_interval(score: Score | None) -> bool:
    return score is not None and score.interval is not None


def standings(groups: Sequence[RunGroup], split: str) -> list[Standings]:
    """Return the evaluations of a split, metric by metric; empty if no run was evaluated on it.

    Reads the predictions of the runs the first time, which may take a while.
    """
    entries = [entry for group in groups for entry in group.entries]
    reports = [entry.reports[split] for entry in entries if split in entry.reports]
    known = {name for report in reports for name, value in report.metrics.items() if value is not None}
    ordered = [name for name in METRICS if name in known] + sorted(known - {*METRICS})
    values = {name: tuple(_values(group, split, name) for group in groups) for name in ordered}
    scores = {
        name: tuple(_score(group, split, name, each) for group, each in zip(groups, of_groups, strict=True))
        for name, of_groups in values.items()
    }
    if not_comparable(entries, split):
        return [_unranked(name, scores[name]) for name in ordered]
    own, configs = own_directions(entries), [entry.config for entry in entries]
    unranked = {name for name in ordered if why_unranked(configs, name, split, own)}
    predictions = tuple(_predictions(group, split, len(entries)) for group in groups)
    return [
        _unranked(name, scores[name])
        if name in unranked
        else _one(name, scores[name], values[name], predictions, lower_is_better(name, own))
        for name in ordered
    ]


def _unranked(metric: str, scores: tuple[Score | None, ...]) -> Standings:
    return Standings(metric, scores, frozenset(), frozenset(), (None,) * len(scores))


def _values(group: RunGroup, split: str, metric: str) -> tuple[float, ...]:
    """The values of the runs that have a metric."""
    reports = [entry.reports[split] for entry in group.entries if split in entry.reports]
    values = [report.metrics.get(metric) for report in reports]
    return tuple(value for value in values if value is not None)


def _score(group: RunGroup, split: str, metric: str, values: tuple[float, ...]) -> Score | None:
    if not values:
        return None
    if group.is_repeated:
        deviation = statistics.stdev(values) if len(values) > 1 else None
        evaluated = sum(split in entry.reports for entry in group.entries)
        return Score(statistics.fmean(values), None, deviation, len(values), evaluated)
    interval = group.first.reports[split].intervals.get(metric)
    return Score(values[0], (interval[0], interval[1]) if interval and len(interval) == 2 else None)


@lru_cache(maxsize=256)  # runs that are followed change all the time, their evaluations do not
def _one(
    metric: str,
    scores: tuple[Score | None, ...],
    values: tuple[tuple[float, ...], ...],
    predictions: tuple[tuple[Predictions, ...], ...],
    lower: bool,
) -> Standings:
    known = {place: score.value for place, score in enumerate(scores) if score is not None}
    best = (min if lower else max)(known.values())
    leaders = frozenset(place for place, value in known.items() if math.isclose(value, best, rel_tol=1e-12))
    leader = min(leaders)
    comparisons = max(1, len(known) * (len(known) - 1) // 2)
    repeated = [Repeated(*each) for each in zip(values, predictions, strict=True)]
    found: list[Difference | None] = [None] * len(scores)
    level = set()
    for place in known:
        if place == leader:
            continue
        found[place] = difference = _difference(metric, repeated[place], repeated[leader], comparisons)
        if _overlap(scores[place], scores[leader]) if difference is None else not difference.is_clear:
            level.add(place)
    return Standings(metric, scores, leaders, frozenset(level) - leaders, tuple(found))


def _difference(metric: str, mine: Repeated, best: Repeated, comparisons: int) -> Difference | None:
    runs = (*mine.predictions, *best.predictions)
    same = bool(mine.predictions and best.predictions) and all(_same(runs[0], other) for other in runs[1:])
    if len(mine.values) + len(best.values) > 2:
        if not same:
            mine, best = Repeated(mine.values), Repeated(best.values)
        return repeated_difference(metric, mine, best, comparisons)
    if not same:
        return None
    value = mine.values[0] - best.values[0]
    return paired_differences(runs[0], runs[1], {metric: value}, comparisons).get(metric)


def _overlap(first: Score | None, second: Score | None) -> bool:
    """Return whether two intervals overlap: runs on other samples, or a metric that samples do not add up to."""
    if first is None or second is None or first.interval is None or second.interval is None:
        return False
    return first.interval[0] <= second.interval[1] and second.interval[0] <= first.interval[1]


@lru_cache(maxsize=128)
def _same(first: Predictions, second: Predictions) -> bool:
    return first is second or same_samples(first, second)


def _predictions(group: RunGroup, split: str, runs: int) -> tuple[Predictions, ...]:
    """The predictions of all evaluated runs of a group; empty where some lack, or are too large to be compared."""
    evaluated = [entry for entry in group.entries if split in entry.reports]
    most = MAX_CELLS * MAX_RUNS // max(runs, MAX_RUNS)
    found = [_predictions_of(entry, split, most) for entry in evaluated]
    known = [each for each in found if each is not None]
    return tuple(known) if len(known) == len(evaluated) else ()


def _predictions_of(entry: Entry, split: str, most: int) -> Predictions | None:
    report = entry.reports[split]
    if report.n * max(1, len(report.class_names)) > most:
        return None
    path = entry.run.evaluation_folder(split) / "predictions.npz"
    try:
        loaded = _load(path, path.stat().st_mtime_ns)
    except (OSError, RunDamaged):
        return None
    return loaded if len(loaded) else None  # a network with its own training step has none


@lru_cache(maxsize=64)
def _load(path: Path, stamp: int) -> Predictions:
    """The predictions in a file as it was at a time in nanoseconds."""
    return Predictions.load(path)
