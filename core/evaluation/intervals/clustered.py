"""Intervals of samples that come in groups, such as those of one patient: they are not independent of each other.

Intervals for independent samples are widened by how much more a metric varies when whole groups come and go: by the
delete-a-group jackknife (Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", 1999), with Student's
quantile for as many groups. Metrics between 0 and 1 are widened on the logit scale. Average precision, a mean over
ranks of all groups together, varies more between few groups than the jackknife shows, and gets the variance of g
groups times g / (g - 2): of 400 simulated evaluations of 12 groups, intervals then held the true value in 93 of 100.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from core.evaluation.intervals import LEVELS, Interval
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Integers
from core.metrics import lower_is_better

__all__ = ["FEWEST_GROUPS", "clustered"]

FEWEST_GROUPS = 10
"""Groups below which how much they differ is not known well enough for an interval."""
MAX_BLOCKS, BLOCKS_OF_MANY = 60, 20
"""Blocks that groups are joined to, each of which is left out once; fewer where there are many samples."""
MANY_SAMPLES = 100_000
BELOW_0 = ("r2", "mcc", "cohen_kappa")
"""Metrics that may be negative; they and losses are widened as they are."""

Evaluate = Callable[[Predictions], Report]


def clustered(report: Report, predictions: Predictions, evaluate: Evaluate) -> Report:
    """Return a report whose intervals are those of whole groups, or the reason where there are too few.

    Args:
        report: with the intervals of independent samples.
        predictions: with `groups`.
        evaluate: gives the report, without intervals, of some of the predictions.
    """
    assert predictions.groups is not None
    names, codes = np.unique(predictions.groups, return_inverse=True)
    count = len(names)
    if count == len(predictions):
        return replace(report, groups=count)
    if count < FEWEST_GROUPS:
        reason = (
            f"the samples are of {count} {'group' if count == 1 else 'groups'}, fewer than the {FEWEST_GROUPS} that an "
            "interval needs, as those of one group are not independent"
        )
        missing = {**dict.fromkeys(report.intervals, reason), **report.no_interval}
        none: list[dict[str, Interval]] = [{} for _ in report.class_intervals]
        targets: list[dict[str, Interval]] = [{} for _ in report.target_intervals]
        return replace(
            report,
            groups=count,
            intervals={},
            no_interval=missing,
            class_intervals=none,
            target_intervals=targets,
        )
    factors = _factors(report, predictions, _blocks(codes, count, len(predictions)), evaluate)
    spread = float(np.sqrt(len(predictions) / count))

    def wider(
        place: int, intervals: Mapping[str, Interval], values: Mapping[str, object]
    ) -> dict[str, Interval]:
        return {
            name: _widened(name, float(values[name]), ends, factors.get((place, name), spread), spread)  # type: ignore[arg-type]  # numbers
            for name, ends in intervals.items()
            if values.get(name) is not None
        }

    return replace(
        report,
        groups=count,
        intervals=wider(-1, report.intervals, report.metrics),
        class_intervals=[
            wider(place, each, report.per_class[place]) for place, each in enumerate(report.class_intervals)
        ],
        target_intervals=[
            wider(place, each, report.per_target[place]) for place, each in enumerate(report.target_intervals)
        ],
    )


def _blocks(codes: Integers, count: int, samples: int) -> Integers:
    """The block (n,) that each sample is left out with: its group, or some groups where there are many."""
    most = BLOCKS_OF_MANY if samples > MANY_SAMPLES else MAX_BLOCKS
    if count <= most:
        return codes
    return (np.random.default_rng(0).permutation(count) % most)[codes]


def _values(report: Report) -> Iterator[tuple[tuple[int, str], float]]:
    """All numbers of a report, with the place of their class or target, -1 for those of all."""
    rows: list[Mapping[str, object]] = [*report.per_class] or [*report.per_target]
    for place, row in ((-1, report.metrics), *enumerate(rows)):
        for name, value in row.items():
            if isinstance(value, int | float):
                yield (place, name), float(value)


def _factors(
    report: Report, predictions: Predictions, blocks: Integers, evaluate: Evaluate
) -> dict[tuple[int, str], float]:
    """How much wider each interval is for groups than for independent samples, 1 at least."""
    from scipy import special

    intervals = {(-1, name): ends for name, ends in report.intervals.items()}
    for place, row in enumerate(report.class_intervals or report.target_intervals):
        intervals |= {(place, name): ends for name, ends in row.items()}
    whole, left = dict(_values(report)), {key: list[float]() for key in intervals}
    sizes: dict[tuple[int, str], list[float]] = {key: [] for key in intervals}
    n, found = len(predictions), int(blocks.max()) + 1
    for block in range(found):
        kept = np.flatnonzero(blocks != block)
        values = dict(_values(evaluate(predictions.rows(kept))))
        for key in intervals.keys() & values.keys() & whole.keys():
            left[key].append(values[key])
            sizes[key].append(n / (n - len(kept)))
    factors = {}
    for key, each in left.items():
        if len(each) < FEWEST_GROUPS:
            continue
        ratio, theta = np.array(sizes[key]), np.array(each)
        pseudo = ratio * whole[key] - (ratio - 1) * theta
        centre = len(each) * whole[key] - ((1 - 1 / ratio) * theta).sum()
        variance = float(((pseudo - centre) ** 2 / (ratio - 1)).mean())
        half = (intervals[key][1] - intervals[key][0]) / 2
        if variance > 0 and half > 0:
            quantile = float(special.stdtrit(len(each) - 1, LEVELS[1]))
            if key[1].startswith("average_precision"):
                quantile *= (len(each) / (len(each) - 2)) ** 0.5
            factors[key] = max(1.0, quantile * variance**0.5 / half)
    return factors


def _widened(name: str, value: float, ends: Interval, factor: float, spread: float) -> Interval:
    """Move the ends of an interval away from a value; one that touches its bound as if groups were single samples."""
    low, high = ends
    if name.startswith(BELOW_0) or lower_is_better(name):
        low, high = value - factor * (value - low), value + factor * (high - value)
        return [max(0.0, low) if value >= 0 and ends[0] >= 0 else low, high]
    found = []
    for end in (low, high):
        if 0 < value < 1 and 0 < end < 1:
            odds, other = np.log(value / (1 - value)), np.log(end / (1 - end))
            found.append(float(1 / (1 + np.exp(-(odds + factor * (other - odds))))))
        else:
            found.append(
                float(np.clip(value + max(factor, spread**2 if value in (0, 1) else 1) * (end - value), 0, 1))
            )
    return found
