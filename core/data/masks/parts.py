"""Splits of images with masks: by chance, as an image has no class of its own."""

from typing import TYPE_CHECKING

import numpy as np

from core.data.splits import divide
from core.errors import DataError
from core.tasks.registry import MASKS

if TYPE_CHECKING:
    from core.data.options import HeldOut

__all__ = ["mask_parts"]


def mask_parts(options: "HeldOut", told: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the positions of the three splits, those without any taken from train by chance.

    Args:
        told: positions that the source tells, each may be empty.

    Raises:
        DataError: a side is left without images.
    """
    train, parts = told["train"], dict(told)
    if options.folds and len(told["validation"]):
        raise DataError("data.folds: the data has a validation split of its own", "Set it to 0")
    if not len(parts["test"]):
        kept, held = divide(train, options.test, task=MASKS, seed=options.split_seed, field="data.test")
        parts["test"], train = train[held], train[kept]
    if not len(parts["validation"]):
        kept, held = options.hold_out(train, MASKS)
        parts["validation"], train = train[held], train[kept]
    return {**parts, "train": train}
