"""Importance of each searched path for the metric, and how sure it is."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.evaluation.values import Floats
from core.tuning.search.plan import Plan
from core.tuning.search.space import Choices, Domain
from core.tuning.study.records import TrialRecord

__all__ = ["Importances", "PathImportance", "Share", "importances", "position"]

LEAST_TRIALS = 10
"""Fewer show nothing but chance."""
CELLS = 20
"""Of the range of a number."""
CUT = ("pruned", "paused")
"""Trials that count with what they reached."""
PRIOR = 1.0
"""Trials of a mean rank that every cell is taken to have."""
RESAMPLES, PERMUTATIONS = 200, 400
CHANCE = 0.05
"""How often a parameter that does not matter may look as if it did, over all parameters together."""
ENDS = (0.05, 0.95)
"""Quantiles of the resamples between which a share is shown."""


@dataclass(frozen=True)
class Share:
    """Part of a path in what makes trials good, from 0 to 1, with the ends of its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PathImportance:
    """Shares of the paths, largest first, which add up to 1; none where there is nothing to show.

    Attributes:
        trials: how many it rests on. reason: why there are no shares; empty where there are.
    """

    shares: dict[str, Share] = field(default_factory=dict)
    trials: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Importances:
    """Importance over all trials, and over the better half of them: what still matters once the values are good."""

    all: PathImportance = field(default_factory=PathImportance)
    good: PathImportance = field(default_factory=PathImportance)


def importances(plan: Plan, records: Iterable[TrialRecord]) -> Importances:
    """Return the importance of each path, from what trials reached: also pruned ones; diverged ones are the worst.

    The main effects of a functional ANOVA (Hutter et al., "An Efficient Approach for Assessing Hyperparameter
    Importance", 2014) on ranks: the part of the variance of the ranks that a smooth function of one path explains.
    What chance explains, the mean over random orders of the trials, is taken off. Intervals are from resampled trials.
    """
    known = _reached(plan, records)
    known.sort(key=lambda pair: pair[1])
    good = known[: (len(known) + 1) // 2]
    return Importances(_importance(plan, known), _importance(plan, good))


def position(domain: Domain, value: Any) -> float:
    """Return where a value is on its axis, from 0 to 1; beyond these where it is outside of its range."""
    if isinstance(domain, Choices):
        place = domain.values.index(value) if value in domain.values else 0
        return place / max(1, len(domain.values) - 1)
    if domain.log:
        return math.log(value / domain.low) / math.log(domain.high / domain.low)
    return float((value - domain.low) / (domain.high - domain.low))


def _reached(plan: Plan, records: Iterable[TrialRecord]) -> list[tuple[TrialRecord, float]]:
    """Trials with what they reached, as a number that is better when smaller."""
    sign = 1.0 if plan.direction == "minimize" else -1.0
    found, diverged = [], []
    for record in records:
        values = [sign * value for value in (record.value, *record.curve) if value is not None]
        values = [value for value in values if math.isfinite(value)]
        if record.state == "diverged":
            diverged.append(record)
        elif record.state == "completed" and record.value is not None:
            found.append((record, sign * record.value))
        elif record.state in CUT and values:
            found.append((record, min(values)))
    worst = max((value for _, value in found), default=0.0)
    return found + [(record, math.nextafter(worst, math.inf)) for record in diverged]


def _importance(plan: Plan, known: Sequence[tuple[TrialRecord, float]]) -> PathImportance:
    values = np.array([value for _, value in known])
    if len(values) < LEAST_TRIALS:
        return PathImportance(trials=len(values), reason=f"shown from {LEAST_TRIALS} trials on")
    if values.min() == values.max():
        return PathImportance(trials=len(values), reason="all trials are equal")
    random = np.random.default_rng(0)
    ranks = _ranks(values)
    weights = np.ones((1 + RESAMPLES, len(values)))
    weights[1:] = random.multinomial(len(values), np.full(len(values), 1 / len(values)), RESAMPLES)
    found: dict[str, Floats] = {}
    matters = False
    usual = 1 - CHANCE / len(plan.space.domains)
    for path, domain in plan.space.domains.items():
        has = np.array([path in record.params for record, _ in known])
        if has.sum() < LEAST_TRIALS:
            continue
        places = np.array(
            [position(domain, record.params[path]) for record, _ in known if path in record.params]
        )
        cells, kernel = _cells(domain, places)
        part, of_path = float(has.mean()), ranks[has]
        observed = _explained(cells, kernel, of_path[None], weights[:, has])
        shuffled = random.permuted(np.tile(of_path, (PERMUTATIONS, 1)), axis=1)
        by_chance = _explained(cells, kernel, shuffled, np.ones((1, len(of_path))))
        found[path] = part * np.maximum(0, observed - by_chance.mean())
        matters |= bool(observed[0] > np.quantile(by_chance, usual))
    if not matters:
        return PathImportance(trials=len(values), reason="no parameter matters more than chance")
    total = sum(found.values())
    parts = {path: distances / np.maximum(total, 1e-300) for path, distances in found.items()}
    shares = {
        path: Share(float(part[0]), *map(float, np.quantile(part[1:], ENDS))) for path, part in parts.items()
    }
    return PathImportance(dict(sorted(shares.items(), key=lambda pair: -pair[1].value)), len(values))


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 on; equal values share their mean rank."""
    _, at, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count + 1) / 2)[at])


def _cells(domain: Domain, places: Floats) -> tuple[Floats, Floats]:
    """Return the cell of each trial (trials, cells), and how cells share what is known of them (cells, cells).

    The width is Scott's ("Multivariate Density Estimation", 1992).
    """
    many = len(domain.values) if isinstance(domain, Choices) else len(domain.points() or range(CELLS))
    cells = many if isinstance(domain, Choices) else min(many, CELLS)
    at = np.clip(np.rint(places * (cells - 1)), 0, cells - 1).astype(int)
    if isinstance(domain, Choices):
        return np.eye(cells)[at], np.eye(cells)
    wide = max(0.3, 1.06 * float(at.std()) * len(at) ** -0.2)
    return np.eye(cells)[at], np.exp(-0.5 * ((np.arange(cells)[:, None] - np.arange(cells)) / wide) ** 2)


def _explained(cells: Floats, kernel: Floats, ranks: Floats, weights: Floats) -> Floats:
    """Return the part of the variance of the ranks that the cells explain, once for each row.

    Args:
        ranks: (rows, trials) or (1, trials). weights: likewise.
    """
    total = weights.sum(axis=1, keepdims=True)
    away = ranks - (weights * ranks).sum(axis=1, keepdims=True) / total
    counts, sums = weights @ cells, (weights * away) @ cells
    smooth = (sums @ kernel) / (counts @ kernel + PRIOR)
    variance = (weights * away**2).sum(axis=1)
    return np.asarray((counts * smooth**2).sum(axis=1) / np.maximum(variance, 1e-300))
