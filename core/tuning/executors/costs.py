"""Costs of a network that a trial has trained: its size, and the time that it takes."""

import io
import statistics
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.data.dataset import Split
from core.events import EpochFinished
from core.inference.predict import score
from core.runs.folder import Run
from core.runs.log import LogReader
from core.tuning.search.objectives import COSTS

if TYPE_CHECKING:
    from core.session.session import Prepared

__all__ = ["costs"]

WARM_UPS, REPEATS = 3, 20
"""Of the measurement of latency."""


def costs(prepared: "Prepared", run: Run, names: Iterable[str]) -> dict[str, float]:
    """Return those costs of a trained network that are asked for; names of other numbers are left out."""
    measures = {"parameters": _parameters, "seconds": _seconds, "latency": _latency, "size": _size}
    return {name: measures[name](prepared, run) for name in COSTS if name in set(names)}


def _parameters(prepared: "Prepared", run: Run) -> float:
    return float(prepared.summary.parameters)


def _seconds(prepared: "Prepared", run: Run) -> float:
    """Return the median seconds of an epoch and its validation; the first one, which also warms up, only if alone."""
    spent = [event.seconds for event in LogReader(run.log_file).read() if isinstance(event, EpochFinished)]
    return statistics.median(spent[1:] or spent)


def _latency(prepared: "Prepared", run: Run) -> float:
    """Return the median seconds in which one sample is scored, alone, on the device of the run."""
    sample: Split = prepared.data.validation.rows(slice(0, 1))
    spent = []
    prepared.model.eval()
    for _ in range(WARM_UPS + REPEATS):
        began = time.perf_counter()
        score(prepared.model, sample, prepared.data, prepared.scorer, prepared.device)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent[WARM_UPS:])


def _size(prepared: "Prepared", run: Run) -> float:
    """Return the bytes of a file with the weights alone."""
    import torch

    file = io.BytesIO()
    torch.save(prepared.model.state_dict(), file)
    return float(len(file.getbuffer()))
