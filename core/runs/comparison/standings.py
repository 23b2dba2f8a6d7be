"""Final metrics of runs side by side: which one leads, and which others are level with it.

Runs that were evaluated on the same samples are compared sample by sample; see ``core.evaluation.paired``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.errors import RunDamaged
from core.evaluation.paired import MAX_CELLS, Difference, paired_differences, same_samples
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.metrics import METRICS, lower_is_better
from core.runs.comparison.curves import own_directions
from core.runs.comparison.entries import Entry
from core.runs.comparison.settings import not_comparable

__all__ = ["MARKS", "Score", "Standings", "standings"]

MARKS: Final = "★ leads  ≈ not clearly worse on the same samples"
"""What the signs of the standings mean."""


@dataclass(frozen=True)
class Score:
    """A final number of a run, with its 95 % interval where there is one."""

    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Standings:
    """One metric of all runs.

    Attributes:
        scores: in the order of the runs; None where a run does not have it.
        leader: place of the best one; None without any, or where the runs do not compare.
        level: places of those that are not clearly worse than the leader.
        differences: of each run from the leader, on the same samples; None where these are not known.
    """

    metric: str
    scores: tuple[Score | None, ...]
    leader: int | None
    level: frozenset[int]
    differences: tuple[Difference | None, ...]


def standings(entries: Sequence[Entry], split: str) -> list[Standings]:
    """Return the evaluations of a split, metric by metric; empty if no run was evaluated on it.

    Reads the predictions of the runs the first time, which may take a while.
    """
    reports = [entry.reports.get(split) for entry in entries]
    known = {
        name for report in reports if report for name, value in report.metrics.items() if value is not None
    }
    ordered = [name for name in METRICS if name in known] + sorted(known - {*METRICS})
    rows = [(name, tuple(_score(report, name) for report in reports)) for name in ordered]
    if not_comparable(entries, split):
        nothing = (None,) * len(entries)
        return [Standings(name, scores, None, frozenset(), nothing) for name, scores in rows]
    own = own_directions(entries)
    predictions = tuple(_predictions(entry, split) for entry in entries)
    return [_one(name, scores, predictions, lower_is_better(name, own)) for name, scores in rows]


def _score(report: Report | None, metric: str) -> Score | None:
    value = report.metrics.get(metric) if report else None
    if report is None or value is None:
        return None
    interval = report.intervals.get(metric)
    return Score(value, (interval[0], interval[1]) if interval and len(interval) == 2 else None)


@lru_cache(maxsize=256)  # runs that are followed change all the time, their evaluations do not
def _one(
    metric: str,
    scores: tuple[Score | None, ...],
    predictions: tuple[Predictions | None, ...],
    lower: bool,
) -> Standings:
    known = [(score.value, place) for place, score in enumerate(scores) if score is not None]
    sign = 1 if lower else -1
    leader = min(known, key=lambda pair: sign * pair[0])[1]
    comparisons = max(1, len(known) * (len(known) - 1) // 2)
    found: list[Difference | None] = [None] * len(scores)
    level = set()
    for _, place in known:
        if place == leader:
            continue
        found[place] = _difference(metric, place, leader, scores, predictions, comparisons)
        difference = found[place]
        if _overlap(scores[place], scores[leader]) if difference is None else not difference.is_clear:
            level.add(place)
    return Standings(metric, scores, leader, frozenset(level), tuple(found))


def _difference(
    metric: str,
    place: int,
    leader: int,
    scores: Sequence[Score | None],
    predictions: Sequence[Predictions | None],
    comparisons: int,
) -> Difference | None:
    mine, best, score, top = predictions[place], predictions[leader], scores[place], scores[leader]
    if mine is None or best is None or score is None or top is None or not _same(mine, best):
        return None
    value = score.value - top.value
    return paired_differences(mine, best, {metric: value}, comparisons).get(metric)


def _overlap(first: Score | None, second: Score | None) -> bool:
    """Return whether two intervals overlap: runs on other samples, or a metric that samples do not add up to."""
    if first is None or second is None or first.interval is None or second.interval is None:
        return False
    return first.interval[0] <= second.interval[1] and second.interval[0] <= first.interval[1]


@lru_cache(maxsize=64)
def _same(first: Predictions, second: Predictions) -> bool:
    return same_samples(first, second)


def _predictions(entry: Entry, split: str) -> Predictions | None:
    """The predictions behind a report; None where they are not there or too large to be compared."""
    report = entry.reports.get(split)
    if report is None or report.n * max(1, len(report.class_names)) > MAX_CELLS:
        return None
    path = entry.run.evaluation_folder(split) / "predictions.npz"
    try:
        loaded = _load(path, path.stat().st_mtime_ns)
    except (OSError, RunDamaged):
        return None
    return loaded if len(loaded) else None  # a network with its own training step has none


@lru_cache(maxsize=16)
def _load(path: Path, stamp: int) -> Predictions:
    """The predictions in a file as it was at a time in nanoseconds."""
    return Predictions.load(path)
