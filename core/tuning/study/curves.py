"""The metric of a trial after each epoch, as far as it is known."""

import math
from collections.abc import Mapping

from core.events import EpochFinished
from core.runs.folder import Run
from core.runs.log import LogReader

__all__ = ["as_curve", "logged_curve"]


def logged_curve(run: Run, metric: str) -> dict[int, float]:
    """Return the metric by epoch, as a run has logged it so far; empty for one that was never trained."""
    curve: dict[int, float] = {}
    reader = LogReader(run.log_file)
    while events := reader.read():
        for event in events:
            if isinstance(event, EpochFinished):
                value = event.validation.get(metric)
                curve[event.epoch] = math.nan if value is None else value
    return curve


def as_curve(values: Mapping[int, float]) -> tuple[float, ...]:
    """Return values by epoch as a row from the first epoch on, NaN where there is none."""
    return tuple(values.get(epoch, math.nan) for epoch in range(1, max(values, default=0) + 1))
