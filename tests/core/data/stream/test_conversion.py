"""Batches of a stream that need no change are passed on as they are; all others are looked at."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from core.data.arrays.array_samples import dataset_of
from core.data.arrays.given import Given
from core.data.own.python import PythonData
from core.data.stream.conversion import Conversion, Labels
from core.data.stream.reader import Reader, Wanted
from core.data.stream.sources import source_of
from core.errors import DataError

NOTES = list[str]()


def labels(classes: list[Any], ignored: int = -100) -> Labels:
    return Labels.of({"train": np.array(classes)}, (), "auto", "targets", NOTES, ignored)


@pytest.mark.parametrize("classes", [[0, 1, 2, 0, 1, 2], [7, 3, 7, 3], ["01", "1", "01", "1"]])
def test_classes_looked_up_at_once_are_those_of_each(classes: list[Any]) -> None:
    found, raw = labels(classes), np.array(classes)
    whole = found.targets["train"]
    assert np.array_equal(found.numbers(raw, "here"), whole)
    assert np.array_equal(found.numbers(raw[::-1].astype(str), "here"), whole[::-1])


@pytest.mark.parametrize("strange", [5, -1, 10**9])
def test_a_class_that_training_lacks_is_refused(strange: int) -> None:
    with pytest.raises(DataError, match=f"has the class {strange}"):
        labels([7, 3, 7, 3]).numbers(np.array([7, strange]), "here")


def test_the_ignored_class_has_a_stand_in() -> None:
    found = labels([7, 3, 4, 4, 7, 3], ignored=4)
    assert found.numbers(np.array([3, 4, 7]), "here").tolist() == [0, 0, 1]


def test_tensors_that_need_no_change_are_passed_on_and_checked() -> None:
    inputs, classes = torch.randn(8, 3, 6, 6), np.arange(8) % 2
    options = PythonData(path="own.py:make", shape="auto")
    base = dataset_of(Given((inputs.numpy(), classes)), options, "own", "auto", "auto")
    convert = Conversion("own", "train", base, labels(classes.tolist()), "channels_first", False, None)
    made, targets = convert(inputs, classes)
    assert made is inputs
    assert targets.tolist() == classes.tolist()
    assert torch.equal(convert(inputs.double(), classes)[0], inputs)
    inputs[3, 1, 2, 2] = torch.nan
    with pytest.raises(DataError, match=r"NaN or infinite values in 1 samples?, first in sample 3"):
        convert(inputs, classes)


def test_what_is_wrong_with_a_batch_names_the_sample() -> None:
    class Samples(Dataset[Any]):
        def __getitem__(self, at: int) -> Any:
            return torch.full((3,), torch.nan if at == 61 else 0.0), 0

    def refuse(inputs: Any, targets: Any) -> Any:
        if bool(inputs.isnan().any()):
            raise DataError("a batch has NaN")

    reader = Reader(source_of(Samples()), None, "own.py:make", convert=refuse)
    with pytest.raises(DataError, match="a batch has NaN; it is sample 61 of own"):
        reader.read(Wanted((0, 0), [7, 61, 3]))
