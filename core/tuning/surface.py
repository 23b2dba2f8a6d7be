"""The metric of a study over two parameters, smoothed from its trials."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.evaluation.values import Floats
from core.tuning.search.plan import Plan
from core.tuning.study.importance import position
from core.tuning.study.records import TrialRecord

__all__ = ["LEAST_TRIALS", "Surface", "surface"]

LEAST_TRIALS = 3
WIDTH = 0.12
"""Of the weights by which trials count at a place, in parts of an axis."""
NEAR = 0.05
"""Sum of these weights from which on the value of a place is known."""
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Surface:
    """Smoothed ranks of the trials on a grid.

    Attributes:
        across, up: (points,) places on the two axes, from 0 to 1.
        quarter: (points,) from 0, the worst quarter of what is known, to 3, the best.
        known: (points,) whether trials are near.
        trials: those that it rests on.
    """

    across: Floats
    up: Floats
    quarter: Floats
    known: Floats
    trials: tuple[TrialRecord, ...]


def surface(
    plan: Plan, records: Iterable[TrialRecord], paths: tuple[str, str], size: tuple[int, int]
) -> Surface | None:
    """Return the metric over two parameters, by kernel regression on the ranks of the trials that completed.

    Args:
        paths: of the parameters. size: points across and up.

    Returns:
        The surface; None with too few trials that have both parameters.
    """
    trials = tuple(
        record
        for record in records
        if record.state == "completed" and record.value is not None and set(paths) <= record.params.keys()
    )
    if len(trials) < LEAST_TRIALS:
        return None
    axes = [plan.space.domains[path] for path in paths]
    at = np.array(
        [[position(axes[side], record.params[paths[side]]) for side in (0, 1)] for record in trials]
    )
    sign = 1 if plan.direction == "maximize" else -1
    values = np.array([sign * (record.value or 0.0) for record in trials])
    ranks = np.argsort(np.argsort(values)).astype(np.float64)
    across, up = (places.ravel() for places in np.meshgrid(*(np.linspace(0, 1, count) for count in size)))
    grid = np.stack((across, up), axis=1)
    weights = np.exp(-0.5 * ((grid[:, None] - at) ** 2).sum(axis=2) / WIDTH**2)
    total = weights.sum(axis=1)
    smooth = (weights @ ranks) / np.maximum(total, 1e-300)
    known = total > NEAR
    cuts = np.quantile(smooth[known], QUARTERS)
    return Surface(across, up, np.searchsorted(cuts, smooth), known, trials)
