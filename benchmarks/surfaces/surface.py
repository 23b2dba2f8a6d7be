"""Surfaces on which methods of search are tried in seconds: what is recorded, and how a method looks it up.

A surface is the full grid of some levels of each setting. A method draws from whole ranges; a number counts as the
nearest level on its scale, so the surface is a function of what was drawn, and every value of it was trained.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.config import schema as configuration
from core.config.schema import TrainConfig

__all__ = ["EPOCHS", "SURFACES", "Axis", "Recorded", "Surface", "load_surface"]

FOLDER = Path(__file__).parent
EPOCHS = 27


@dataclass(frozen=True)
class Axis:
    """One setting: the range that methods draw from, as `build_space` takes it, and the levels that are recorded."""

    domain: Mapping[str, Any] | Sequence[Any]
    levels: Sequence[Any]

    def nearest(self, value: Any) -> int:
        """Return the index of the level that a value counts as."""
        if not isinstance(self.domain, Mapping):
            return self.levels.index(value)
        scale = math.log if self.domain.get("log") else float
        return min(range(len(self.levels)), key=lambda index: abs(scale(self.levels[index]) - scale(value)))


@dataclass(frozen=True)
class Surface:
    """A grid around a configuration, all of which is recorded."""

    base: Mapping[str, Any]
    axes: Mapping[str, Axis]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of levels of each axis."""
        return tuple(len(axis.levels) for axis in self.axes.values())

    def config(self) -> TrainConfig:
        """Return the configuration of everything that is not searched."""
        training = {"epochs": EPOCHS, "device": "cpu", "threads": 1}
        return configuration.from_dict({**self.base, "training": training})

    def domains(self) -> dict[str, Any]:
        """Return the search space, as `build_space` takes it."""
        return {path: axis.domain for path, axis in self.axes.items()}


@dataclass(frozen=True)
class Recorded:
    """A surface with its values: validation losses (*levels, epochs), NaN from where a training diverged."""

    name: str
    surface: Surface
    losses: np.ndarray

    def curve(self, params: Mapping[str, Any]) -> np.ndarray:
        """Return the losses after each epoch (epochs,)."""
        place = tuple(axis.nearest(params[path]) for path, axis in self.surface.axes.items())
        return np.asarray(self.losses[place])

    @cached_property
    def best(self) -> float:
        """Return the smallest loss of all configurations and epochs."""
        return float(np.nanmin(self.losses))


RATES = Axis(
    {"low": 1e-4, "high": 1.0, "log": True}, [float(f"{10 ** (-4 + index / 2):.3g}") for index in range(9)]
)
MOMENTA = Axis({"low": 0.0, "high": 0.98}, [0.0, 0.5, 0.9])
DECAYS = Axis({"low": 1e-6, "high": 1e-1, "log": True}, [1e-5, 1e-3, 3e-2])
SIZES, LARGER_SIZES = (Axis(sizes, sizes) for sizes in ([16, 64, 256], [32, 64, 256]))
LAYERS = [[16], [64], [128, 64]]
CHANNELS = [[2, 4], [4, 8], [8, 16]]


def _axes(path: str, values: list[list[int]], sizes: Axis = SIZES) -> dict[str, Axis]:
    return {
        "optimizer.lr": RATES,
        "optimizer.momentum": MOMENTA,
        "optimizer.weight_decay": DECAYS,
        "training.batch_size": sizes,
        path: Axis(values, values),
    }


SURFACES: Mapping[str, Surface] = {
    "breast_cancer": Surface({"data": "breast_cancer", "model": "mlp"}, _axes("model.hidden", LAYERS)),
    "diabetes": Surface({"data": "diabetes", "model": "mlp"}, _axes("model.hidden", LAYERS)),
    "digits": Surface({"data": "digits"}, _axes("model.hidden", LAYERS)),
    "digits_cnn": Surface(
        {"data": {"name": "digits", "test": 0.7}, "model": {"name": "cnn", "hidden": [16]}},
        _axes("model.channels", CHANNELS, LARGER_SIZES),
    ),
}


def load_surface(name: str) -> Recorded:
    """Return a surface that was recorded.

    Raises:
        ValueError: it was recorded with other levels.
    """
    surface = SURFACES[name]
    with np.load(FOLDER / f"{name}.npz") as file:
        if json.loads(str(file["levels"])) != _levels(surface):
            raise ValueError(
                f"{name} was recorded with other levels: python -m benchmarks.surfaces.record {name}"
            )
        return Recorded(name, surface, file["losses"].astype(np.float64).reshape(*surface.shape, EPOCHS))


def save_surface(name: str, losses: np.ndarray) -> None:
    """Keep the losses (configurations, epochs) of a surface."""
    levels = json.dumps(_levels(SURFACES[name]))
    np.savez_compressed(FOLDER / f"{name}.npz", losses=losses.astype(np.float32), levels=np.array(levels))


def _levels(surface: Surface) -> dict[str, Any]:
    return {path: list(axis.levels) for path, axis in surface.axes.items()}
