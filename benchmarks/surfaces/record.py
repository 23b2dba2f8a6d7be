"""Records surfaces with torchtui's own engine, on one thread: some minutes each.

python -m benchmarks.surfaces.record [NAME ...]
"""

import itertools
import sys
import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.surfaces.surface import EPOCHS, SURFACES, save_surface
from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset
from core.data.registry import load
from core.events import EpochFinished, Event
from core.runs.checkpoints import State
from core.session.preload import load_backend
from core.session.session import assemble, training_context
from core.training.engine import train


class _Nowhere:
    """Keeps no checkpoint."""

    def save(self, state: State, kind: Literal["last", "best", "epoch"]) -> str | None:
        return None


def curve(values: dict[str, Any], data: Dataset) -> np.ndarray:
    """Return the validation losses (epochs,) of one training, NaN from where it diverged."""
    losses = np.full(EPOCHS, np.nan)

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            losses[event.epoch - 1] = event.validation["loss"]

    prepared = assemble(configuration.from_dict(values), data)
    context = training_context(prepared, None)
    train(
        prepared.config,
        data,
        prepared.model,
        context,
        emit=emit,
        control=RunControl(),
        checkpoints=_Nowhere(),
    )
    losses[~np.isfinite(losses)] = np.nan
    return losses


def record(name: str) -> None:
    """Train all configurations of a surface."""
    surface = SURFACES[name]
    base = surface.config()
    data = load(base.data)
    data = replace(data, test=data.test.rows(slice(0)))
    plain, began = configuration.to_dict(base), time.process_time()
    curves = []
    for levels in itertools.product(*(axis.levels for axis in surface.axes.values())):
        values: dict[str, Any] = {}
        for path, level in zip(surface.axes, levels, strict=True):
            section, _, key = path.partition(".")
            values.setdefault(section, {})[key] = level
        curves.append(curve(configuration.merge(plain, values), data))
        if len(curves) % 50 == 0:
            print(f"{name}: {len(curves)}, {time.process_time() - began:.0f} s of processor time", flush=True)
    save_surface(name, np.array(curves))


def main() -> None:
    """Record the surfaces that are named, or all."""
    load_backend()
    torch.set_num_threads(1)
    for name in sys.argv[1:] or SURFACES:
        record(name)


if __name__ == "__main__":
    main()
