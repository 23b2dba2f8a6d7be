"""Arrays from files of NumPy: images or tables by their shape, classes or numbers by their values. No pickles."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.data.arrays.sample_shapes import ArrayShape
from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.data.targets import AskedTask
from core.options import Files

__all__ = ["Arrays"]


class Arrays(HeldOut, ImageOptions):
    """Your own arrays: an .npz with inputs and targets, or an .npy of inputs beside one of targets."""

    name: Literal["arrays"] = "arrays"
    path: Annotated[str, Files((".npz", ".npy"))] = ""
    """The file; one with arrays such as x_val, y_val, x_test and y_test brings its own splits."""
    inputs: str = ""
    """Name of the inputs in an .npz, or several separated by commas; by default of a usual pair, such as x and y."""
    targets: str = ""
    """Name of the targets in an .npz; beside an .npy the path of theirs, by default found by its name."""
    task: AskedTask = "auto"
    """Kind of the targets; with auto, texts and whole numbers are classes, columns of zeros and ones several labels."""
    ignore_index: int = -100
    """Class of samples that are left out of training and metrics, where there are any."""
    shape: ArrayShape = "auto"
    """Shape of a sample: a row of a table, an image, a signal (channels x time), tokens, any other; auto infers it."""
    padding: Annotated[int, Field(ge=-1)] = -1
    """The id that fills short sequences of tokens, to be ignored; -1 for none."""

    @classmethod
    def model_for(cls, fields: Mapping[str, Any]) -> str:
        from core.data.masks.peeked import holds_masks

        if fields.get("shape") == "tokens":
            return "text_bag"
        path, inputs, targets = (str(fields.get(key) or "") for key in ("path", "inputs", "targets"))
        return (
            "unet"
            if fields.get("task", "auto") == "auto" and holds_masks(path, inputs, targets)
            else cls.MODEL
        )

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.arrays.array_files import read_arrays
        from core.data.arrays.array_samples import dataset_of

        given = read_arrays(
            self.path, self.inputs, self.targets, (self.group, self.time, self.split, self.weight)
        )
        return dataset_of(given, self, self.name, self.task, self.shape)
