"""The small data sets that scikit-learn ships: no download, seconds to train."""

import gzip
import string
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.data.splits import assemble
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BreastCancer", "Diabetes", "Digits", "Iris", "Wine", "digits_rows"]


class _Bundled(HeldOut):
    MODEL: ClassVar[str] = "tabular"

    def _table(self, bunch: Any) -> Dataset:
        """A data set from one of scikit-learn's bunches of columns."""
        import torch

        names = tuple(str(name) for name in bunch.get("target_names", ()))
        task = task_for(len(names))
        targets: Tensor = torch.from_numpy(np.asarray(bunch.target))
        division = self.divided(bunch.target, task)
        return assemble(
            name=self.name,  # type: ignore[attr-defined]  # a field of each subclass
            kind="table",
            inputs=torch.from_numpy(np.asarray(bunch.data, dtype=np.float32)),
            targets=targets.long() if names else targets.float().unsqueeze(1),
            parts=division.parts,
            groups=division.groups,
            weights=division.weights,
            notes=division.notes,
            class_names=names,
            feature_names=tuple(str(name) for name in bunch.feature_names),
        )


def digits_rows() -> np.ndarray:
    """Return the digits of scikit-learn, float64 (1797, 65): 8x8 grey values from 0 to 16, then the digit.

    Its file is read without importing it, which takes as long as training on them; where it lies elsewhere, it is
    imported.
    """
    found = find_spec("sklearn")
    for folder in (found and found.submodule_search_locations) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            with gzip.open(path, "rt", encoding="ascii") as file:
                return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])


class Digits(HeldOut, ImageOptions):
    """1,797 handwritten digits, 8x8 grey, 10 classes (Alpaydin and Kaynak 1998)."""

    name: Literal["digits"] = "digits"

    def load(self, root: Path, progress: Progress) -> Dataset:
        import torch

        rows = digits_rows()
        images, labels = rows[:, :-1].reshape(-1, 1, 8, 8).astype(np.uint8), rows[:, -1].astype(np.int64)
        names = tuple(string.digits)
        division = self.divided(labels, task_for(len(names)))
        return assemble(
            name=self.name,
            kind="image",
            inputs=torch.from_numpy(images),
            targets=torch.from_numpy(labels),
            parts=division.parts,
            groups=division.groups,
            weights=division.weights,
            notes=division.notes,
            class_names=names,
            value_range=(0.0, 16.0),
            scaling=self.scaling,
        )


class Iris(_Bundled):
    """150 iris flowers, 4 measures, 3 species (Fisher 1936)."""

    name: Literal["iris"] = "iris"

    def load(self, root: Path, progress: Progress) -> Dataset:
        from sklearn.datasets import load_iris

        return self._table(load_iris())


class Wine(_Bundled):
    """178 wines, 13 measures, 3 growers (Aeberhard and Forina 1991)."""

    name: Literal["wine"] = "wine"

    def load(self, root: Path, progress: Progress) -> Dataset:
        from sklearn.datasets import load_wine

        return self._table(load_wine())


class BreastCancer(_Bundled):
    """569 tumours, 30 measures, malignant or benign (Wolberg et al. 1995)."""

    name: Literal["breast_cancer"] = "breast_cancer"

    def load(self, root: Path, progress: Progress) -> Dataset:
        from sklearn.datasets import load_breast_cancer

        return self._table(load_breast_cancer())


class Diabetes(_Bundled):
    """442 patients, 10 measures, progression of diabetes after a year: regression (Efron et al. 2004)."""

    name: Literal["diabetes"] = "diabetes"

    def load(self, root: Path, progress: Progress) -> Dataset:
        from sklearn.datasets import load_diabetes

        return self._table(load_diabetes())
