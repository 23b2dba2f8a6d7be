"""A user's data, from a function in a Python file."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from core.data.arrays.sample_shapes import ArrayShape
from core.data.dataset import Dataset, Progress
from core.data.options import HeldOut, ImageOptions
from core.data.stream.options import FeedOptions
from core.data.targets import AskedTask
from core.errors import DataError
from core.user_code.arguments import check_arguments
from core.user_code.loading import Reference, call, load_object, parse

__all__ = ["PythonData"]


class PythonData(HeldOut, ImageOptions, FeedOptions):
    """Data of your own: a function in a Python file that returns arrays, tensors or a torch Dataset."""

    name: Literal["python"] = "python"
    path: Reference = ""
    """Your function: FILE.py:NAME, such as mydata.py:make."""
    arguments: dict[str, Any] = {}
    """Its arguments."""
    inputs: str = ""
    """Inputs to take of samples that have several, as names or numbers from 0, separated by commas; empty takes all."""
    task: AskedTask = "auto"
    """Kind of target; auto treats strings and whole numbers as classes unless they could be quantities."""
    ignore_index: int = -100
    """Class of samples that are left out of training and metrics, where there are any."""
    shape: ArrayShape = "auto"
    """Shape of a sample: a row of a table, an image, a signal (channels x time), tokens, any other; auto infers it."""
    padding: Annotated[int, Field(ge=-1)] = -1
    """The id that fills short sequences of tokens, to be ignored; -1 for none."""

    @property
    def title(self) -> str:
        return Path(self.path.rpartition(":")[0]).stem or self.name

    def load(self, root: Path, progress: Progress) -> Dataset:
        from core.data.arrays.array_samples import dataset_of
        from core.data.own.handover import are_handed_over, lists_alone
        from core.data.own.python_samples import collect, seeded
        from core.data.stream.own_data import streamed

        if not self.path:
            raise DataError("data.path: no function is given", "Give FILE.py:NAME, such as mydata.py:make")
        arguments = check_arguments(load_object(self.path), self.arguments, {}, "data.arguments")
        file, name = parse(self.path)
        source = f"{file.name}:{name}"
        with seeded(self.split_seed):  # a resumed run finds the same data
            answer = [call(self.path, **arguments)]
            alone = lists_alone(answer)
            made = answer.pop()
            data = streamed(made, self, source, progress)
            if data is not None:
                return data
            by = (self.group, self.time, self.split)
            given = collect(made, source, progress, self.inputs, by, self.weight, alone)
            del made  # so that the arrays of the function may be nobody else's
        if given.owned and not are_handed_over(given.train):
            given = replace(given, owned=False)
        return dataset_of(given, self, self.name, self.task, self.shape)
