"""MNIST and its kin, in the IDX format, through torchvision: downloaded on first use and checked."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from core.data.builtin.download import fetch, gunzip, gunzip_members_of_zip
from core.data.builtin.official import Official
from core.data.dataset import Progress
from core.errors import DependencyError

if TYPE_CHECKING:
    from core.data.builtin.official import Images

__all__ = ["Emnist", "FashionMnist", "Kmnist", "Mnist", "torchvision_module"]


class _MnistLike(Official):
    torchvision_name: ClassVar[str]
    shape = (1, 28, 28)

    @property
    def _source(self) -> Any:
        return getattr(torchvision_module("datasets"), self.torchvision_name)

    def folder(self, root: Path) -> Path:
        return root / self.torchvision_name / "raw"

    def files(self) -> Iterable[str]:
        return [Path(name).stem for name, _ in self._source.resources]

    def fetch(self, root: Path, progress: Progress) -> None:
        source = self._source
        for name, md5 in source.resources:
            urls = [mirror + name for mirror in source.mirrors]
            fetch(urls, self.folder(root) / name, md5=md5, progress=progress, unpack=gunzip)

    def read(self, folder: Path, *, train: bool) -> "Images":
        part = self._source(root=str(folder.parent.parent), train=train, download=False)
        return part.data.unsqueeze(1), part.targets.long()

    def classes(self, folder: Path) -> tuple[str, ...]:
        return tuple(name.partition(" - ")[0] for name in self._source.classes)


class Mnist(_MnistLike):
    """70,000 handwritten digits, 28x28 grey, 10 classes, official test set of 10,000 (LeCun et al. 1998)."""

    name: Literal["mnist"] = "mnist"
    torchvision_name = "MNIST"


class FashionMnist(_MnistLike):
    """70,000 pieces of clothing, 28x28 grey, 10 classes, official test set of 10,000 (Xiao et al. 2017)."""

    name: Literal["fashion_mnist"] = "fashion_mnist"
    torchvision_name = "FashionMNIST"


class Kmnist(_MnistLike):
    """70,000 cursive Japanese letters, 28x28 grey, 10 classes, official test set of 10,000 (Clanuwat et al. 2018)."""

    name: Literal["kmnist"] = "kmnist"
    torchvision_name = "KMNIST"


class Emnist(_MnistLike):
    """Handwritten letters and digits, 28x28 grey, 10 to 62 classes, official test set (Cohen et al. 2017)."""

    name: Literal["emnist"] = "emnist"
    subset: Literal["balanced", "byclass", "bymerge", "letters", "digits", "mnist"] = "balanced"
    """Which characters: balanced has 47 classes and 131,600 images, byclass 62 classes and 814,255."""
    torchvision_name = "EMNIST"

    def files(self) -> Iterable[str]:
        kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
        return [f"emnist-{self.subset}-{part}-{kind}" for part in ("train", "test") for kind in kinds]

    def fetch(self, root: Path, progress: Progress) -> None:
        source = self._source
        packed = self.folder(root) / str(source.url).rpartition("/")[2]
        unpack = gunzip_members_of_zip(list(self.files()))
        fetch([source.url], packed, md5=source.md5, progress=progress, unpack=unpack)

    def read(self, folder: Path, *, train: bool) -> "Images":
        part = self._source(root=str(folder.parent.parent), split=self.subset, train=train, download=False)
        upright = part.data.transpose(1, 2).unsqueeze(1)  # the files hold them column by column
        return upright.contiguous(), part.targets.long() - self._first_label

    def classes(self, folder: Path) -> tuple[str, ...]:
        return tuple(self._source.classes_split_dict[self.subset][self._first_label :])

    @property
    def _first_label(self) -> int:
        return int(self.subset == "letters")  # there a is 1


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
