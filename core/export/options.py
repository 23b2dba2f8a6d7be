"""Base of the options of all export formats."""

from pathlib import Path
from typing import TYPE_CHECKING

from core.data.dataset import Progress
from core.errors import ModelError
from core.options import Options

if TYPE_CHECKING:
    import numpy as np

    from core.runs.folder import Run

__all__ = ["ExportOptions", "largest_difference"]

RELATIVE, ABSOLUTE = 1e-3, 1e-4
"""How far an exported model may be from the run's own: of a value's distance from the mean, and of the largest one."""
ROUNDING = 1e-6
"""Of a value itself: float32 holds no more."""


class ExportOptions(Options):
    """Base of all formats."""

    def write(
        self, run: "Run", folder: Path, data_root: Path | None, progress: Progress, notes: list[str]
    ) -> float | None:
        """Write a run into an empty folder, and read it again with the tool it is for.

        Args:
            notes: takes a line on what the format cannot hold.

        Returns:
            The largest difference between the answers to real samples of the written model and of the run's own;
            None where no model is written.

        Raises:
            DependencyError: a package it needs is not installed.
            TorchtuiError: the run has no model, it cannot be written so, or what was written answers otherwise.
        """
        raise NotImplementedError


def largest_difference(written: "np.ndarray", own: "np.ndarray") -> float:
    """The largest absolute difference of two models' answers of one shape.

    Raises:
        ModelError: the answers are not the same.
    """
    import numpy as np

    if written.shape != own.shape:
        raise ModelError(
            f"the exported model's outputs have the shape {written.shape}, the original's {own.shape}"
        )
    difference = np.abs(written.astype(np.float64) - own)
    numbers = own.ndim == 1  # in the unit of the target, which may be large, tiny, or far from 0
    away = np.abs(own - own.mean()) if numbers and own.size > 1 else np.abs(own)
    scale = float(away.max(initial=0.0)) or float(np.abs(own).max(initial=0.0)) or 1.0
    scale = scale if numbers else max(1.0, scale)
    worst = float(difference.max(initial=0.0))
    if not (difference <= ABSOLUTE * scale + RELATIVE * away + ROUNDING * np.abs(own)).all():
        raise ModelError(
            f"the exported model's outputs differ from the original's by up to {worst:.3g}",
            "Nothing was written; choose another format",
        )
    return worst
