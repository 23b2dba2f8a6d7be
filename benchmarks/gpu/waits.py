"""Waits for the device: none in a step that is not logged, and where they are in a whole run.

    python -m benchmarks.gpu.waits [--device cpu] [--json FILE]

Fails when an unlogged step waits. PyTorch itself tells of a wait (`torch.cuda.set_sync_debug_mode`), and the profiler
counts the calls that do.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.steps import unlogged_step
from benchmarks.gpu.training import NETWORKS, mnist, options, trained
from benchmarks.mnist import mnist_root
from core.config.schema import merge
from core.data.dataset import Dataset
from core.events import StepLogged

CALLS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
WARMED_UP, MEASURED = 8, 100
"""Steps before those that are watched, in which graphs are recorded and kernels chosen."""
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "launched one by one": {"training": {"cuda_graphs": "off"}},
    "bf16": {"training": {"precision": "bf16"}},
    "fp16": {"training": {"precision": "fp16"}},
    "moving average": {"training": {"ema": 0.99}},
    "clipped": {"training": {"clip_norm": 1.0}},
    "accumulated": {"training": {"accumulate": 2, "batch_size": 32}},
    "augmented": {"data": {"augment": ["crop", "flip", "mixup"]}},
}


@contextmanager
def watched(device: str) -> Iterator[Counter[str]]:
    """Context manager that gives the places that wait for the device, and how often each did; see it afterwards."""
    places: Counter[str] = Counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("warn")
        try:
            yield places
        finally:
            if device == "cuda":
                torch.cuda.set_sync_debug_mode("default")
    for warning in caught:
        if "synchroniz" in str(warning.message):
            places[f"{'/'.join(Path(warning.filename).parts[-3:])}:{warning.lineno}"] += 1


def unlogged(network: str, asked: dict[str, Any], data: Dataset, device: str) -> Counter[str]:
    """Return the places that wait while steps are taken that are not logged."""
    values: dict[str, Any] = {
        "data": {"name": "mnist", "validation": 0},
        "model": NETWORKS[network],
        "optimizer": "adam",
        "schedule": "cosine",
        "training": {"batch_size": 64},
    }
    step = unlogged_step(merge(values, asked), data, torch.device(device))
    steps = len(data.train) // 64
    warmed_up = min(WARMED_UP, steps - 1)
    for _ in range(warmed_up):
        step()
    with watched(device) as places:
        for _ in range(min(MEASURED, steps - warmed_up)):
            step()
    return places


def whole_run(network: str, data: Dataset, device: str) -> tuple[int, int, int, Counter[str]]:
    """Return the calls that wait in a run of two epochs, the logged steps, all steps, and the places that wait."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if device == "cuda" else []
    with torch.profiler.profile(activities=activities) as profiler:
        events = trained(network, data, device, 2, cuda_graphs="off").events
    calls = sum(event.count for event in profiler.key_averages() if event.key in CALLS)
    with watched(device) as places:
        trained(network, data, device, 2, cuda_graphs="off")
    logged = [event for event in events if isinstance(event, StepLogged)]
    return calls, len(logged), 2 * -(-len(data.train) // 64), places


def main() -> int:
    """Print, and return 1 if an unlogged step waits."""
    given = options((__doc__ or "").splitlines()[0])
    waiting = 0
    with mnist_root() as (root, _):
        for network in ("mlp", "cnn"):
            data = mnist(root, network, given.device)
            for name, asked in OPTIONS.items():
                if name == "fp16" and given.device == "cpu":
                    continue
                places = unlogged(network, asked, data, given.device)
                waiting += places.total()
                text = f"{places.total()} waits in unlogged steps {dict(places) if places else ''}"
                given.numbers.add(f"{network}, {name}", dict(places), f"{network}, {name}: {text}")
            calls, logged, steps, places = whole_run(network, data, given.device)
            numbers = {"calls": calls, "logged": logged, "steps": steps, "places": dict(places)}
            text = f"{calls} calls that wait in {steps} steps, of which {logged} were logged; where: {dict(places)}"
            given.numbers.add(f"{network}, whole run", numbers, f"{network}: {text}")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
