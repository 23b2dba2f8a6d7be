"""Common part of image sets with files and a test set of their own: fetch, read, check, split."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from core.data.dataset import Dataset, Progress, Split
from core.data.options import ImageOptions
from core.data.splits import assemble
from core.errors import DataError, TorchtuiError
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Official"]

Images = tuple["Tensor", "Tensor"]
"""uint8 (n, channels, height, width), and int64 classes (n,)."""


class Official(ImageOptions):
    """Base of image sets that are downloaded and come with a test set of their own.

    Attributes:
        shape: (channels, height, width) that every image has.
    """

    KNOWN = True
    shape: ClassVar[tuple[int, int, int]]

    def folder(self, root: Path) -> Path:
        """Folder of its files."""
        raise NotImplementedError

    def files(self) -> Iterable[str]:
        """Names of the files, unpacked."""
        raise NotImplementedError

    def fetch(self, root: Path, progress: Progress) -> None:
        """Download the files.

        Raises:
            DataError: it does not work.
        """
        raise NotImplementedError

    def read(self, folder: Path, *, train: bool) -> "Images":
        """One official part. Raises whatever it trips over in a damaged file."""
        raise NotImplementedError

    def classes(self, folder: Path) -> tuple[str, ...]:
        """Names of the classes."""
        raise NotImplementedError

    def available(self, root: Path) -> bool:
        return all((self.folder(root) / name).is_file() for name in self.files())

    def load(self, root: Path, progress: Progress) -> Dataset:
        if not self.available(root):
            self.fetch(root, progress)
        (inputs, targets), test, names = self._checked(self.folder(root))
        division = self.divided(targets.numpy(), task_for(len(names)), own_test=True)
        return assemble(
            name=self.name,  # type: ignore[attr-defined]  # a field of each subclass
            kind="image",
            inputs=inputs,
            targets=targets,
            parts=division.parts,
            groups=division.groups,
            weights=division.weights,
            notes=division.notes,
            official_test=Split(*test, np.arange(len(test[1]))),
            class_names=names,
            value_range=(0.0, 255.0),
            scaling=self.scaling,
        )

    def _checked(self, folder: Path) -> "tuple[Images, Images, tuple[str, ...]]":
        """Both parts and the names; readable files that do not belong together are reported too."""
        try:
            names = self.classes(folder)
            train, test = self.read(folder, train=True), self.read(folder, train=False)
            for images, labels in (train, test):
                if images.shape != (len(labels), *self.shape):
                    raise ValueError(f"images of shape {tuple(images.shape)} for {len(labels)} labels")
                if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(names):
                    raise ValueError(
                        f"labels {int(labels.min())} to {int(labels.max())} for {len(names)} classes"
                    )
        except TorchtuiError:
            raise
        except Exception as error:  # parsers raise whatever they trip over in a damaged file
            raise DataError(
                f"{folder} holds damaged files: {error}", "Delete the folder to download it again"
            ) from None
        return train, test, names
