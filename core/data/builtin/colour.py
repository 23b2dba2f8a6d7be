"""CIFAR and SVHN: small colour images, downloaded on first use and checked, read without pickles."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from core.data.builtin.download import as_it_is, fetch, members_of_tar
from core.data.builtin.official import Official
from core.data.builtin.vision import torchvision_module
from core.data.dataset import Progress
from core.files.reading import read_bytes

if TYPE_CHECKING:
    from core.data.builtin.official import Images

__all__ = ["Cifar10", "Cifar100", "Svhn"]

MAX_FILE = 1 << 28
"""Bytes of one of their files."""
CIFAR = "https://www.cs.toronto.edu/~kriz/"


class _Cifar(Official):
    """The binary version: records of some label bytes (the last is the class) and 3x32x32 bytes of an image."""

    shape = (3, 32, 32)
    archive: ClassVar[str]
    md5: ClassVar[str]
    train_files: ClassVar[tuple[str, ...]]
    test_files: ClassVar[tuple[str, ...]]
    names_file: ClassVar[str]
    label_bytes: ClassVar[int]
    class_count: ClassVar[int]

    def folder(self, root: Path) -> Path:
        return root / type(self).__name__.upper()

    def files(self) -> Iterable[str]:
        return (*self.train_files, *self.test_files, self.names_file)

    def fetch(self, root: Path, progress: Progress) -> None:
        packed = self.folder(root) / self.archive
        unpack = members_of_tar(list(self.files()))
        fetch([CIFAR + self.archive], packed, md5=self.md5, progress=progress, unpack=unpack)

    def read(self, folder: Path, *, train: bool) -> "Images":
        import torch

        names = self.train_files if train else self.test_files
        content = np.concatenate([np.frombuffer(_content(folder / name), np.uint8) for name in names])
        records = content.reshape(-1, self.label_bytes + np.prod(self.shape))
        labels = torch.from_numpy(records[:, self.label_bytes - 1].astype(np.int64))
        return torch.from_numpy(records[:, self.label_bytes :].reshape(-1, *self.shape).copy()), labels

    def classes(self, folder: Path) -> tuple[str, ...]:
        names = tuple(_content(folder / self.names_file).decode("ascii").split())
        if len(names) != self.class_count:
            raise ValueError(f"{self.names_file} names {len(names)} classes")
        return names


def _content(path: Path) -> bytes:
    return read_bytes(path, follow_links=True, limit=MAX_FILE)


class Cifar10(_Cifar):
    """60,000 photographs, 32x32 colour, 10 classes, official test set of 10,000 (Krizhevsky 2009)."""

    name: Literal["cifar10"] = "cifar10"
    archive = "cifar-10-binary.tar.gz"
    md5 = "c32a1d4ab5d03f1284b67883e8d87530"
    train_files = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
    test_files = ("test_batch.bin",)
    names_file = "batches.meta.txt"
    label_bytes, class_count = 1, 10


class Cifar100(_Cifar):
    """60,000 photographs, 32x32 colour, 100 classes, official test set of 10,000 (Krizhevsky 2009)."""

    name: Literal["cifar100"] = "cifar100"
    archive = "cifar-100-binary.tar.gz"
    md5 = "03b5dce01913d631647c71ecec9e9cb8"
    train_files, test_files = ("train.bin",), ("test.bin",)
    names_file = "fine_label_names.txt"
    label_bytes, class_count = 2, 100


class Svhn(Official):
    """99,289 digits of house numbers, 32x32 colour, 10 classes, official test set of 26,032 (Netzer et al. 2011)."""

    name: Literal["svhn"] = "svhn"
    shape = (3, 32, 32)

    def folder(self, root: Path) -> Path:
        return root / "SVHN"

    def files(self) -> Iterable[str]:
        return ("train_32x32.mat", "test_32x32.mat")

    def fetch(self, root: Path, progress: Progress) -> None:
        for part in ("train", "test"):
            url, name, md5 = torchvision_module("datasets").SVHN.split_list[part]
            path = self.folder(root) / name
            if not path.is_file():
                fetch([url], path, md5=md5, progress=progress, unpack=as_it_is)

    def read(self, folder: Path, *, train: bool) -> "Images":
        import torch
        from scipy.io import loadmat

        file = folder / ("train_32x32.mat" if train else "test_32x32.mat")
        content = loadmat(file, variable_names=["X", "y"])
        images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1), dtype=np.uint8)
        labels = content["y"].reshape(-1).astype(np.int64) % 10  # the files call the digit 0 ten
        return torch.from_numpy(images), torch.from_numpy(labels)

    def classes(self, folder: Path) -> tuple[str, ...]:
        return tuple("0123456789")
