"""Arrays from a file of NumPy's: images or tables by their shape, classes or numbers by their type. No pickles."""

from pathlib import Path
from typing import Annotated, Literal

from core.data.arrays.sample_shapes import ArrayShape
from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.options import Files

__all__ = ["Arrays"]


class Arrays(HeldOut, ImageOptions):
    """Your own arrays: an .npz with inputs and targets, or an .npy of inputs beside one of targets."""

    name: Literal["arrays"] = "arrays"
    path: Annotated[str, Files((".npz", ".npy"))] = ""
    """The file; one with arrays such as x_test and y_test brings its own test set."""
    inputs: str = ""
    """Name of the inputs in an .npz; by default the one of a usual pair, such as x and y, or images and labels."""
    targets: str = ""
    """Name of the targets in an .npz; beside an .npy the path of theirs, by default found by its name."""
    task: Literal["auto", "classification", "regression"] = "auto"
    """What the targets are: with auto, whole numbers and texts are classes, and other numbers are to be predicted."""
    shape: ArrayShape = "auto"
    """What a sample is: with auto, two or three dimensions are an image, with its channels first or last."""

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.arrays.array_files import read_arrays
        from core.data.arrays.array_samples import dataset_of

        given = read_arrays(self.path, self.inputs, self.targets)
        return dataset_of(given, self, self.name, self.task, self.shape)
