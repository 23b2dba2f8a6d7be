"""All data sets. To add one: write its options and `load` in a module of its own, and put it into the union."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field

from core.data.arrays.arrays import Arrays
from core.data.builtin.colour import Cifar10, Cifar100, Svhn
from core.data.builtin.synthetic import Moons, Spirals
from core.data.builtin.tables import BreastCancer, Diabetes, Digits, Iris, Wine
from core.data.builtin.vision import Emnist, FashionMnist, Kmnist, Mnist
from core.data.dataset import Dataset, Progress, no_progress
from core.data.images.image_folder import ImageFolder
from core.data.masks.mask_folder import MaskFolder
from core.data.own.python import PythonData
from core.data.positive import with_positive
from core.data.tables.options import Csv
from core.data.text.folder import TextFolder

__all__ = ["DataConfig", "default_root", "load"]

DataConfig = Annotated[
    Digits
    | Iris
    | Wine
    | BreastCancer
    | Diabetes
    | Moons
    | Spirals
    | Mnist
    | FashionMnist
    | Kmnist
    | Emnist
    | Cifar10
    | Cifar100
    | Svhn
    | Csv
    | Arrays
    | MaskFolder
    | TextFolder
    | ImageFolder
    | PythonData,
    Field(discriminator="name"),
]

LARGE = 1 << 20
"""Bytes of the inputs, from which on checking the splits takes more than a moment."""


def default_root() -> Path:
    """Return the folder of data sets: ``TUI_DATA``, or the platform's cache folder."""
    given = os.environ.get("TUI_DATA")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("torchtui") / "data"


def load(
    config: DataConfig,
    root: Path | None = None,
    progress: Progress = no_progress,
    *,
    examine: bool = False,
) -> Dataset:
    """The data set that `config` names, split.

    Args:
        root: folder of downloaded data sets; by default `default_root`.
        examine: look for what is suspicious about its splits, for `Dataset.warnings`.

    Raises:
        DataError: it cannot be read, fetched or split.
        DependencyError: a package it needs does not work.
    """
    from core.data.sample_weights import settle_weights

    data = settle_weights(config.load(root or default_root(), progress), config.weight)
    data = with_positive(data, config.positive)
    if examine:
        from core.data.suspicions.report import examined

        if sum(split.inputs.nbytes for split in data.splits.values()) >= LARGE:
            progress("checking the splits", 0, 0)
        return examined(data, config)
    return replace(data, raw=None)
