"""Records surfaces with torchtui's own engine, each training on one thread: some minutes each.

python -m benchmarks.surfaces.record [NAME ...]
"""

import itertools
import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
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


def configurations(name: str) -> Iterator[dict[str, Any]]:
    """Yield all configurations of a surface as plain values, in the order in which their losses are kept."""
    surface = SURFACES[name]
    plain = configuration.to_dict(surface.config())
    for levels in itertools.product(*(axis.levels for axis in surface.axes.values())):
        values: dict[str, Any] = {}
        for path, level in zip(surface.axes, levels, strict=True):
            section, _, key = path.partition(".")
            values.setdefault(section, {})[key] = level
        yield configuration.merge(plain, values)


@cache
def data_of(name: str) -> Dataset:
    """Return the data of a surface without its test split, as trials have it."""
    data = load(SURFACES[name].config().data)
    return replace(data, test=data.test.rows(slice(0)))


def train_one(name: str, values: dict[str, Any]) -> np.ndarray:
    """Train one configuration of a surface, in a process of a pool."""
    load_backend()
    torch.set_num_threads(1)
    return curve(values, data_of(name))


def record(name: str) -> None:
    """Train all configurations of a surface."""
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool() as pool:
        curves = []
        for losses in pool.imap(partial(train_one, name), configurations(name)):
            curves.append(losses)
            if len(curves) % 50 == 0:
                print(f"{name}: {len(curves)}, {time.monotonic() - began:.0f} s", flush=True)
    save_surface(name, np.array(curves))


def main() -> None:
    """Record the surfaces that are named, or all."""
    for name in sys.argv[1:] or SURFACES:
        record(name)


if __name__ == "__main__":
    main()
