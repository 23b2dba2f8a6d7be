"""Small files of a person's own, for every kind of source that takes one."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.vision_files import SAMPLES, images_of

__all__ = ["write_own_data"]


def write_own_data(folder: Path) -> dict[str, dict[str, Any]]:
    """Write a file for each source that reads one, 300 samples of ten classes in each.

    Returns:
        The fields that name it, by the name of the source.
    """
    labels = np.arange(SAMPLES) % 10
    np.savez(folder / "own.npz", images=images_of(labels, (20, 20)), labels=labels)
    return {"arrays": {"path": str(folder / "own.npz")}}
