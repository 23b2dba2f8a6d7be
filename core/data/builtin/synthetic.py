"""Points in the plane, drawn from a seed: small problems that a linear model cannot solve."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut
from core.data.splits import assemble
from core.tasks.registry import task_for

__all__ = ["Moons", "Spirals"]

RADIUS, TURNS = 3.0, 1.5
"""Radius of each arm of the spirals, and its number of turns."""


class _Points(HeldOut):
    samples: Annotated[int, Field(ge=20, le=10_000_000)] = 1000
    """Number of points to draw."""
    noise: Annotated[float, Field(ge=0, le=10)] = 0.1
    """Standard deviation of the noise added to each coordinate."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the points."""

    def _assembled(self, points: np.ndarray, classes: np.ndarray, names: tuple[str, ...]) -> Dataset:
        """A data set of points (n, 2) and their classes (n,)."""
        import torch

        division = self.divided(classes, task_for(len(names)))
        return assemble(
            name=self.name,  # type: ignore[attr-defined]  # a field of each subclass
            kind="table",
            inputs=torch.from_numpy(points.astype(np.float32)),
            targets=torch.from_numpy(classes.astype(np.int64)),
            parts=division.parts,
            groups=division.groups,
            weights=division.weights,
            notes=division.notes,
            class_names=names,
            feature_names=("x", "y"),
        )


class Moons(_Points):
    """Two half moons that reach into each other; points of the plane, 2 classes."""

    name: Literal["moons"] = "moons"

    def load(self, root: Path, progress: Progress) -> Dataset:
        from sklearn.datasets import make_moons

        points, classes = make_moons(self.samples, noise=self.noise, random_state=self.seed)
        return self._assembled(points, classes, ("upper", "lower"))


class Spirals(_Points):
    """Arms that wind round each other from the centre; points of the plane, one class an arm."""

    name: Literal["spirals"] = "spirals"
    arms: Annotated[int, Field(ge=2, le=20)] = 2
    """Number of arms, each a class."""

    def load(self, root: Path, progress: Progress) -> Dataset:
        random = np.random.default_rng(self.seed)
        classes = np.arange(self.samples) % self.arms
        radius = np.sqrt(random.uniform(size=self.samples))
        angle = 2 * np.pi * (TURNS * radius + classes / self.arms)
        points = RADIUS * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points += random.normal(scale=self.noise, size=points.shape)
        return self._assembled(points, classes, tuple(f"arm {arm + 1}" for arm in range(self.arms)))
