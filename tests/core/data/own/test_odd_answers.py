"""Answers of users' functions beside plain arrays: each is taken for what it is, or refused with what to do."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from torch.utils.data import TensorDataset

from core.data.arrays.array_samples import dataset_of
from core.data.dataset import Dataset, no_progress
from core.data.own.python import PythonData
from core.data.own.python_samples import collect
from core.errors import DataError

OPTIONS = PythonData(path="mydata.py:make")
X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.arange(60) % 3


def read(made: Any) -> Dataset:
    given = collect(made, "mydata.py:make", no_progress)
    return dataset_of(given, OPTIONS, "python", "auto", "auto")


class Plain:
    """A data set that does not derive from torch's."""

    def __len__(self) -> int:
        return 60

    def __getitem__(self, at: int) -> Any:
        return X[at], int(Y[at])


class NoLength(Plain):
    def __len__(self) -> int:
        raise RuntimeError("not known yet")


class Sized(Plain):
    def __init__(self, make: Callable[[int], Any]) -> None:
        self.make = make

    def __getitem__(self, at: int) -> Any:
        return self.make(at), at % 2


def boxed(values: list[Any]) -> np.ndarray:
    held = np.empty(len(values), object)
    held[:] = values
    return held


SAMPLES = [(X[at], int(Y[at])) for at in range(60)]
TENSORS = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


@pytest.mark.parametrize(
    ("made", "sizes"),
    [
        (Plain(), (43, 5, 12)),
        (tuple(SAMPLES), (43, 5, 12)),
        (deque(SAMPLES), (43, 5, 12)),
        ((X.astype(object), Y), (43, 5, 12)),
        ((boxed(list(X)), Y), (43, 5, 12)),
        ((X, boxed(["a", "b", "c"] * 20)), (43, 5, 12)),
        (([[Decimal(str(value)) for value in row] for row in X.tolist()], Y), (43, 5, 12)),
        ({"train": (X, Y), "test": None}, (43, 5, 12)),
        ((TENSORS, None, TENSORS), (54, 6, 60)),
        ({"train": (X, Y), "test": (X[:9], Y[:9]), "unsupervised": (X, Y)}, (54, 6, 9)),
        ((X[:45], X[45:], Y[:45], Y[45:]), (40, 5, 15)),
    ],
)
def test_samples_are_taken_for_what_they_are(made: Any, sizes: tuple[int, int, int]) -> None:
    data = read(made)
    assert (data.task, data.sample_shape) == ("multiclass", (4,))
    assert tuple(map(len, data.splits.values())) == sizes


def test_guesses_are_reported() -> None:
    assert "as train_test_split does" in read((X[:45], X[45:], Y[:45], Y[45:])).notes[0]
    assert "not used: extra" in read({"train": (X, Y), "extra": (X, Y)}).notes[0]
    assert "data.ignore_index=-1" in read((X, Y - 1)).notes[0]


def test_a_nested_tensor_holds_sequences() -> None:
    nested = torch.nested.nested_tensor([torch.ones(1 + at % 4, 2) for at in range(60)], layout=torch.jagged)
    assert read((nested, Y % 2)).fields[0].shape == (4, 2)


def test_names_of_the_columns_of_a_frame_are_kept() -> None:
    import polars as pl

    assert read((pl.DataFrame(X, schema=list("abcd")), Y)).feature_names == ("a", "b", "c", "d")


MASKED = np.ma.masked_greater(X, 1.0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ((MASKED, Y), r"values are masked\. Fill them"),
        ((list(MASKED), Y), "values are masked"),
        ((X, np.ma.masked_equal(Y, 1)), "20 of whose values are masked"),
        ((csr_matrix(X), Y), r"a sparse matrix, .* by toarray\(\)"),
        ({"x": csr_matrix(X), "y": Y}, "a sparse matrix"),
        ((torch.from_numpy(X).to_sparse(), Y), r"a sparse tensor, .* by to_dense\(\)"),
        ((X, boxed(["a", None, "c"] * 20)), "holds None among texts, first for sample 1"),
        ((X, [0, 1, None] * 20), "holds None among numbers, first for sample 2"),
        (([[2**70]] * 60, Y), "whole numbers up to 1.18e"),
        ((np.zeros(60, [("a", "f4"), ("b", "i4")]), Y), "records with a, b"),
        ((np.array([["a", "b"]] * 60), Y), "inputs holds texts, not numbers. Texts are read from a table"),
        ((np.arange(60).astype("M8[D]")[:, None], Y), "datetime64.*days since a date"),
        ((X, [["a"], ["a", "b"], ["b"]] * 20), "several labels a sample, as lists"),
        ((X, [{"a"}, {"a", "b"}, {"b"}] * 20), "several labels a sample, as sets"),
        ((X, ["a", "a|b", "b"] * 20), r"texts such as 'a\|b' hold several labels, separated by \|"),
        ((X, Y[None]), "60 samples in inputs and 1 in targets. Samples come first: transpose targets"),
        ((X, np.full(60, 3.5)), "the targets are all 3.5: there is nothing to learn"),
        ((X, {"a": Y}), "targets that are a dict of a. Return one array"),
        (Sized(lambda at: None if at == 4 else X[at]), "sample 4 .* gave None .* Leave it out"),
        (Sized(lambda at: {"a": {"b": X[at]}, "c": X[at]}), "gave a dict of b within other inputs"),
        (Sized(lambda at: (X[at], (X[at], X[at]))), "gave a tuple of 2 within other inputs"),
        ((), "returned nothing"),
        (NoLength(), "the length of mydata.py:make: RuntimeError: not known yet"),
        (Sized(lambda at: {"a": X[at]} if at != 9 else {"b": X[at]}), "sample 9 .* has the inputs b"),
        (
            Sized(lambda at: np.zeros((8 + at % 2, 8, 3), np.uint8)),
            "pictures of different sizes. Resize them",
        ),
    ],
)
def test_what_would_be_taken_wrongly_is_refused_with_help(made: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(made)
