"""Image data sets through torchvision, downloaded on first use and checked."""

from pathlib import Path
from typing import Any, Literal

from core.data.dataset import Dataset, Progress, Split
from core.data.download import fetch
from core.data.options import ImageOptions
from core.data.splits import assemble, divide
from core.errors import DataError, DependencyError

__all__ = ["FashionMnist", "Mnist"]

IMAGE_SHAPE = (28, 28)


class _MnistLike(ImageOptions):
    def available(self, root: Path) -> bool:
        return _is_complete(getattr(_torchvision_datasets(), self._torchvision_name()), root)

    def load(self, root: Path, progress: Progress) -> Dataset:
        source = getattr(_torchvision_datasets(), self._torchvision_name())
        if not _is_complete(source, root):
            _download(source, root, progress)
        train, test = _read(source, root, train=True), _read(source, root, train=False)
        kept, held_out = divide(
            train.targets.numpy(),
            self.validation,
            task="multiclass",
            seed=self.split_seed,
            field="data.validation",
        )
        return assemble(
            name=self.name,  # type: ignore[attr-defined]
            kind="image",
            inputs=train.inputs,
            targets=train.targets,
            parts={"train": kept, "validation": held_out},
            official_test=test,
            class_names=tuple(name.partition(" - ")[0] for name in source.classes),
            value_range=(0.0, 255.0),
            scaling=self.scaling,
        )

    def _torchvision_name(self) -> str:
        raise NotImplementedError


class Mnist(_MnistLike):
    """70,000 handwritten digits, 28x28 grey, 10 classes, official test set of 10,000 (LeCun et al. 1998)."""

    name: Literal["mnist"] = "mnist"

    def _torchvision_name(self) -> str:
        return "MNIST"


class FashionMnist(_MnistLike):
    """70,000 pieces of clothing, 28x28 grey, 10 classes, official test set of 10,000 (Xiao et al. 2017)."""

    name: Literal["fashion_mnist"] = "fashion_mnist"

    def _torchvision_name(self) -> str:
        return "FashionMNIST"


def _torchvision_datasets() -> Any:
    """torchvision.datasets, or why it does not load."""
    try:
        from torchvision import datasets
    except (
        Exception
    ) as error:  # a torchvision built for another torch fails in many ways while it is imported
        raise DependencyError(
            f"torchvision does not load with this torch: {type(error).__name__}: {error}",
            "Install a matching pair: pip install --upgrade torch torchvision. Tables and digits work without it",
        ) from None
    return datasets


def _raw_folder(source: Any, root: Path) -> Path:
    return root / str(source.__name__) / "raw"


def _is_complete(source: Any, root: Path) -> bool:
    return all((_raw_folder(source, root) / Path(name).stem).is_file() for name, _ in source.resources)


def _download(source: Any, root: Path, progress: Progress) -> None:
    folder = _raw_folder(source, root)
    for name, md5 in source.resources:
        fetch([mirror + name for mirror in source.mirrors], folder / name, md5=md5, progress=progress)


def _read(source: Any, root: Path, *, train: bool) -> Split:
    """One official part as a split."""
    import numpy as np

    try:
        part = source(root=str(root), train=train, download=False)
        _check(part, len(source.classes))
    except Exception as error:  # torchvision raises whatever its parser trips over in a damaged file
        raise DataError(
            f"{_raw_folder(source, root)} holds damaged files: {error}",
            "Delete the folder to download it again",
        ) from None
    return Split(part.data.unsqueeze(1), part.targets.long(), np.arange(len(part.targets)))


def _check(part: Any, classes: int) -> None:
    """What torchvision takes as it comes: files that read well, and do not belong together."""
    if part.data.shape != (len(part.targets), *IMAGE_SHAPE):
        raise ValueError(f"images of shape {tuple(part.data.shape)} for {len(part.targets)} labels")
    if len(part.targets) and int(part.targets.max()) >= classes:
        raise ValueError(f"label {int(part.targets.max())} for {classes} classes")
