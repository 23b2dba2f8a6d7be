"""Choice of the number of processes that read a stream: batches are read and trained on, with some numbers of them.

It changes no result, so that it may be another one each time that a run is resumed.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from core.data.stream.rows import StreamedRows
from core.data.stream.seeds import FIXED
from core.errors import TorchtuiError
from core.machine import available_cores
from core.random_state import keeping_random_state
from core.session.preparation import Prepared
from core.training.threads import step_of_a_copy

__all__ = ["choose_workers"]

SECONDS = 0.4
"""Time for each number of workers, without that in which they start; at least `MIN_BATCHES` are read."""
MIN_BATCHES, MAX_BATCHES = 2, 16
WORTH_SECONDS = 2.0
"""Reading time of a run from which on workers are tried."""
GAIN = 0.9
"""More workers are taken only if a step then takes less than this fraction of the time: cores are shared."""
CPU = torch.device("cpu")


def choose_workers(prepared: Prepared) -> str:
    """Set the number of workers with which a step of training takes the least time, unless the user has set it.

    Returns:
        A message about the choice; empty if there was none to make.
    """
    rows, settings = prepared.data.train.inputs, prepared.config.training
    if not isinstance(rows, StreamedRows) or rows.workers.fixed:
        return ""
    size = min(len(rows), settings.step_samples // prepared.group.size)
    steps = settings.epochs * settings.steps_per_epoch(len(rows))
    rows.workers.count = 0
    try:
        with keeping_random_state(prepared.device):
            step = _step(prepared)
            reading, alone = _timed_alone(rows, size, step)
            if reading * steps < WORTH_SECONDS:
                return ""
            cores = max(1, available_cores() // prepared.group.size)
            counts = [1] if rows.reader.in_order else sorted({1, max(1, cores // 2), cores})
            seconds = {0: alone} | {count: _timed(rows, size, step, count, reading) for count in counts}
    except TorchtuiError:  # reported where it trains
        return ""
    chosen = 0
    for count in counts:
        if seconds[count] < GAIN * seconds[chosen]:
            chosen = count
    rows.workers.count = chosen
    times = ", ".join(f"{count}: {1000 * took:.3g} ms" for count, took in seconds.items())
    return f"batches are read by {chosen} worker processes (a step with {times}); data.workers sets it"


def _step(prepared: Prepared) -> Callable[[], object]:
    """Return a step of a copy of the network; nothing where it trains on another device, or cannot be copied."""
    if prepared.device.type != CPU.type:
        return lambda: None
    try:
        return step_of_a_copy(prepared.config, prepared.data, prepared.model)
    except Exception:  # what is wrong with a network is reported where it trains
        return lambda: None


def _timed_alone(rows: StreamedRows, size: int, step: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of reading a batch in this process, and of that and a step."""
    step()
    (piece,) = _pieces(rows, size, 1)
    began = time.perf_counter()
    rows[piece]
    read = time.perf_counter()
    step()
    return read - began, time.perf_counter() - began


def _timed(rows: StreamedRows, size: int, step: Callable[[], object], count: int, reading: float) -> float:
    """Return the seconds of a step while so many workers read, once the first batch has come."""
    batches = min(MAX_BATCHES, max(MIN_BATCHES, int(SECONDS * count / max(reading, 1e-6))))
    before, rows.workers.count = rows.workers.count, count
    came: list[float] = []
    try:
        for _ in rows.read(_pieces(rows, size, batches + count), FIXED):
            came.append(time.perf_counter())
            step()
    finally:
        rows.workers.count = before
    came.append(time.perf_counter())
    first = min(count, len(came) - 2)  # those that were read while all workers started
    return (came[-1] - came[first]) / (len(came) - 1 - first)


def _pieces(rows: StreamedRows, size: int, count: int) -> Sequence[np.ndarray]:
    """Return the positions of some batches, from the start on, and once more where the set is short."""
    whole = max(1, len(rows) // size)
    return [np.arange(size) + number % whole * size for number in range(count)]
