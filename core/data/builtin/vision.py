"""MNIST and its kin, in the IDX format: downloaded on first use, from where torchvision has it, and checked."""

import importlib
import string
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.data.builtin.download import fetch, gunzip, gunzip_members_of_zip
from core.data.builtin.idx import read_idx
from core.data.builtin.official import Official
from core.data.dataset import Progress
from core.errors import DependencyError

if TYPE_CHECKING:
    from core.data.builtin.official import Images

__all__ = ["Emnist", "FashionMnist", "Kmnist", "Mnist", "torchvision_module"]


IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
ALIKE = "cijklmopsuvwxyz"
"""Small letters of EMNIST that are one class with the capital ones."""


class _MnistLike(Official):
    torchvision_name: ClassVar[str]
    class_names: ClassVar[tuple[str, ...]]
    shape = (1, 28, 28)

    @property
    def _source(self) -> Any:
        """The class of torchvision's: addresses and checksums; what is on disk is read without it."""
        return getattr(torchvision_module("datasets"), self.torchvision_name)

    def folder(self, root: Path) -> Path:
        return root / self.torchvision_name / "raw"

    def prefixes(self) -> tuple[str, str]:
        """Return the beginnings of the names of the files of the training and of the test images."""
        return "train", "t10k"

    def files(self) -> Iterable[str]:
        return [f"{part}-{kind}" for part in self.prefixes() for kind in (IMAGES, LABELS)]

    def fetch(self, root: Path, progress: Progress) -> None:
        source = self._source
        for name, md5 in source.resources:
            urls = [mirror + name for mirror in source.mirrors]
            fetch(urls, self.folder(root) / name, md5=md5, progress=progress, unpack=gunzip)

    def read(self, folder: Path, *, train: bool) -> "Images":
        import torch

        part = self.prefixes()[not train]
        images, labels = read_idx(folder / f"{part}-{IMAGES}", 3), read_idx(folder / f"{part}-{LABELS}", 1)
        return torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long()

    def classes(self, folder: Path) -> tuple[str, ...]:
        return self.class_names


class Mnist(_MnistLike):
    """70,000 handwritten digits, 28x28 grey, 10 classes, official test set of 10,000 (LeCun et al. 1998)."""

    name: Literal["mnist"] = "mnist"
    torchvision_name = "MNIST"
    class_names = tuple(string.digits)


class FashionMnist(_MnistLike):
    """70,000 pieces of clothing, 28x28 grey, 10 classes, official test set of 10,000 (Xiao et al. 2017)."""

    name: Literal["fashion_mnist"] = "fashion_mnist"
    torchvision_name = "FashionMNIST"
    class_names = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )


class Kmnist(_MnistLike):
    """70,000 cursive Japanese letters, 28x28 grey, 10 classes, official test set of 10,000 (Clanuwat et al. 2018)."""

    name: Literal["kmnist"] = "kmnist"
    torchvision_name = "KMNIST"
    class_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


class Emnist(_MnistLike):
    """Handwritten letters and digits, 28x28 grey, 10 to 62 classes, official test set (Cohen et al. 2017)."""

    name: Literal["emnist"] = "emnist"
    subset: Literal["balanced", "byclass", "bymerge", "letters", "digits", "mnist"] = "balanced"
    """Which characters: balanced has 47 classes and 131,600 images, byclass 62 classes and 814,255."""
    torchvision_name = "EMNIST"

    def prefixes(self) -> tuple[str, str]:
        return f"emnist-{self.subset}-train", f"emnist-{self.subset}-test"

    def fetch(self, root: Path, progress: Progress) -> None:
        source = self._source
        packed = self.folder(root) / str(source.url).rpartition("/")[2]
        unpack = gunzip_members_of_zip(list(self.files()))
        fetch([source.url], packed, md5=source.md5, progress=progress, unpack=unpack)

    def read(self, folder: Path, *, train: bool) -> "Images":
        images, labels = super().read(folder, train=train)
        upright = images.transpose(2, 3)  # the files hold them column by column
        return upright.contiguous(), labels - int(self.subset == "letters")  # there a is 1

    def classes(self, folder: Path) -> tuple[str, ...]:
        if self.subset in ("digits", "mnist"):
            return tuple(string.digits)
        if self.subset == "letters":
            return tuple(string.ascii_lowercase)
        alike = "" if self.subset == "byclass" else ALIKE
        return tuple(sorted(set(string.digits + string.ascii_letters) - set(alike)))


def torchvision_module(name: str) -> Any:
    """A module of torchvision's, such as ``datasets``.

    Raises:
        DependencyError: it does not load.
    """
    try:
        return importlib.import_module(f"torchvision.{name}")
    except (
        Exception
    ) as error:  # a torchvision built for another torch fails in many ways while it is imported
        raise DependencyError(
            f"torchvision does not load with this torch: {type(error).__name__}: {error}",
            "Install a matching pair: pip install --upgrade torch torchvision. Tables and digits work without it",
        ) from None
