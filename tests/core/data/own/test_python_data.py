"""Data from a function of the user's own: what it may return, what is wrong with it, and that it stays the same."""

import random
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.config import schema as configuration
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.data.registry import load
from core.errors import ConfigError, DataError, ModelError, TorchtuiError, UntrustedCode, UserCodeError
from core.events import EpochFinished
from core.export.deployed import Deployed
from core.losses.cross_entropy import CrossEntropy
from core.models.own.ids import with_ids
from core.session.evaluation import RunData
from core.user_code.trust import trust
from tests.support.repository import REPOSITORY

HEAD = """
import numpy as np, random, torch
from torch.utils.data import Dataset, IterableDataset, TensorDataset
y = np.arange(60) % 3
x = np.eye(3, dtype=np.float32)[y]

class Samples(Dataset):
    classes = ["ant", "bee", "cat"]
    def __init__(self, n=60, shape=(3, 4, 4)):
        self.n, self.shape = n, shape
    def __len__(self):
        return self.n
    def __getitem__(self, i):
        return torch.full(self.shape, float(i)), i % 3
"""
Make = Callable[..., Any]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Loads what a function with this body returns."""

    def make(body: str, signature: str = "", *, trusted: bool = True, **fields: Any) -> Dataset:
        file = tmp_path / "mydata.py"
        file.write_text(f"{HEAD}\ndef make({signature}):\n    {body}\n")
        if trusted:
            trust(file)
        return load(configuration.from_dict({"data": {"name": f"{file}:make", **fields}}).data)

    return make


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return Samples(), Samples(), 2, ['a', 'b']",
            r"returned 4 things: a data set \(Samples\), a data set \(Samples\), int, a list of 2\. Return the 2 sets",
        ),
        (
            "return Samples(), len",
            "the collate function of mydata.py:make returned an object of type int, not inputs and targets",
        ),
    ],
)
def test_a_data_set_in_the_place_of_an_array_is_refused_at_once(make: Make, body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(f"Samples.__getitem__ = lambda self, i: (torch.rand(4), i % 2); {body}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x, np.full(60, -100)", "targets is -100 for all samples"),
        ("return Samples(10 ** 12)", "1,000,000,000,000 samples of mydata.py:make take .* GiB"),
    ],
)
def test_what_would_be_taken_wrongly_is_refused(make: Make, body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(body)


def test_samples_are_read_into_one_array(make: Make) -> None:
    """Twice the data at most: once as read, once as split."""
    side = 64
    size = 400 * 3 * side * side * 4
    body = f"return Samples(400, (3, {side}, {side}))"
    make(body)
    tracemalloc.start()
    data = make(body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.train.inputs.dtype == torch.float32
    assert peak < 1.5 * size  # what NumPy allocates; the tensors of the splits come on top


def test_types_that_differ_between_samples_meet(make: Make) -> None:
    body = "Samples.__getitem__ = lambda s, i: (np.full(4, i + 0.5) if i >= 30 else np.full(4, i), i % 3)"
    data = make(f"{body}; return Samples()")
    values = {float(value) for split in data.splits.values() for value in split.inputs[:, 0]}
    assert values == {*map(float, range(30)), *(i + 0.5 for i in range(30, 60))}


def test_float_labels_that_are_few_whole_numbers_are_classes(make: Make) -> None:
    data = make("return x, (y == 1).astype(np.float32)")
    assert (data.task, data.class_names) == ("binary", ("0", "1"))


def test_series_are_not_taken_for_images(make: Make) -> None:
    assert make("return np.random.rand(60, 50, 6).astype(np.float32), y").kind == "signal"
    with pytest.raises(DataError, match="60x10x12, which may be grey images or series of several channels"):
        make("return np.random.rand(60, 10, 12).astype(np.float32), y")


TOKENS = "return np.random.default_rng(0).integers(0, 200, (60, 5)), y"


def test_ids_reach_a_network_that_looks_them_up_as_they_are(make: Make, tmp_path: Path) -> None:
    data = make(TOKENS)
    assert data.whole
    mixed = nn.Sequential(nn.Embedding(200, 4), nn.Flatten(), nn.Linear(20, 3))
    seen = with_ids(mixed, data)
    assert seen.ids
    inputs, *_ = next(Batches(seen.train, seen, torch.device("cpu")).iterate(8))
    assert inputs.dtype == torch.int64
    assert {int(number) for number in inputs.flatten()} <= set(range(200))
    assert len(inputs.unique()) > 20
    assert "as they are, as int64" in seen.notes[-1]
    assert Deployed(mixed.eval(), seen, CrossEntropy())(inputs.float()).shape == (8, 3)


def test_ids_that_were_clipped_are_refused(make: Make) -> None:
    tokens = "np.random.default_rng(0).zipf(1.3, (600, 2)).clip(0, 10 ** 6)"
    body = f"return {tokens}, np.arange(600) % 3"
    network = nn.Sequential(nn.Embedding(10**6 + 1, 1), nn.Flatten(), nn.Linear(2, 3))
    with pytest.raises(
        ModelError, match=r"heavy tails of this data's are clipped\. Set data.scaling to none"
    ):
        with_ids(network, make(body))
    assert with_ids(network, make(body, scaling="none")).ids
    with pytest.raises(DataError, match="differ by less than float32 can hold"):
        make("return np.arange(60)[:, None] + 2.0 ** 25 + 0.5, y", scaling="none")


def test_whole_numbers_are_standardised_for_other_networks_which_is_reported(make: Make) -> None:
    data = make(TOKENS)
    seen = with_ids(nn.Linear(5, 3), data)
    assert not seen.ids
    assert "data.scaling=none" in seen.notes[-1]
    unscaled = make(TOKENS, scaling="none")
    assert with_ids(nn.Linear(5, 3), unscaled) is unscaled  # it takes floats alone: they are not scaled
    assert not bool(unscaled.mean.any())
    assert with_ids(nn.Linear(5, 3), make("return x, y")).notes == ()


@pytest.mark.parametrize(
    "body",
    [
        "return x, y",
        "return [x, y]",
        "return torch.tensor(x, requires_grad=True), torch.tensor(y)",
        "return x.tolist(), y.tolist()",
        "return TensorDataset(torch.tensor(x), torch.tensor(y))",
        "return x, np.array(['p', 'q', 'r'])[y]",
    ],
)
def test_tables(body: str, make: Make) -> None:
    data = make(body)
    assert (data.kind, data.sample_shape, data.task, data.outputs) == ("table", (3,), "multiclass", 3)
    assert [len(split) for split in data.splits.values()] == [43, 5, 12]
    for split in data.splits.values():
        assert torch.equal(split.inputs[:].argmax(dim=1), split.targets)


def test_a_torch_data_set_is_read_with_the_names_of_its_classes(make: Make, tmp_path: Path) -> None:
    data = make("return Samples()")
    assert (data.kind, data.sample_shape) == ("image", (3, 4, 4))
    assert data.class_names == ("ant", "bee", "cat")
    for split in data.splits.values():
        assert np.array_equal(split.inputs[:][:, 0, 0, 0], split.indices)
    told: list[Any] = []
    config = configuration.from_dict({"data": f"{tmp_path / 'mydata.py'}:make"}).data
    load(config, progress=lambda *facts: told.append(facts))
    assert told[0] == ("reading mydata.py:make", 0, 60)


@pytest.mark.parametrize(
    "body",
    [
        "return (x, y), (x[:6], y[:6])",
        "return x, y, x[:6], y[:6]",
        "a, b = torch.tensor(x), torch.tensor(y); return TensorDataset(a, b), TensorDataset(a[:6], b[:6])",
        "return Samples(), Samples(6)",
    ],
)
def test_train_and_test(body: str, make: Make) -> None:
    data = make(body)
    assert [len(split) for split in data.splits.values()] == [54, 6, 6]
    assert data.test.targets.tolist() == [0, 1, 2, 0, 1, 2]


def test_bfloat16_and_numbers_to_predict(make: Make) -> None:
    data = make("return torch.tensor(x).bfloat16(), torch.tensor(y) + 0.5")
    assert (data.task, data.train.inputs.dtype) == ("regression", torch.float32)


def test_its_arguments_are_checked(make: Make) -> None:
    body, signature = "return x[:n], y[:n]", "n: int = 60"
    assert sum(len(split) for split in make(body, signature, arguments={"n": 30}).splits.values()) == 30
    with pytest.raises(ConfigError, match=r"data\.arguments"):
        make(body, signature, arguments={"n": "many"})
    with pytest.raises(ConfigError, match=r"data\.arguments"):
        make(body, signature, arguments={"m": 3})


def test_chance_is_the_same_each_time_and_leaves_no_trace(make: Make) -> None:
    body = "return np.array([[random.random(), np.random.rand(), torch.rand(()).item()] for _ in y]), y"
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), float(torch.rand(()))
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    first, again = make(body), make(body)
    assert torch.equal(first.train.inputs[:], again.train.inputs[:])
    assert (random.random(), np.random.rand(), float(torch.rand(()))) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x", "mydata.py:make returned an object of type ndarray. It must return inputs and targets"),
        ("return None", "returned an object of type NoneType"),
        (
            "return x, y, x",
            "the weights of the train set have the shape 60x3 and the type float32, for 60 samples",
        ),
        ("return x, y, -y", "the weights of the train set: sample . has -"),
        ("return x, y[:-1]", "mydata.py:make has 60 samples in inputs and 59 in targets"),
        ("return x, [object()] * 60", "returned 2 things: ndarray, a list of 60"),
        (
            "return TensorDataset(torch.tensor(x))",
            "sample 0 of mydata.py:make is a tuple of 1, not input and target",
        ),
        ("return Samples(0)", "holds no samples"),
        ("s = Samples(); s.classes = ['a']; return s", "has the class 1"),
        (
            "s = Samples(); type(s).__getitem__ = lambda s, i: (torch.zeros(2, 1 + i % 2), i % 2); return s",
            "have the shapes 2x1 and 2x2",
        ),
    ],
)
def test_what_it_may_not_return_is_told(body: str, message: str, make: Make) -> None:
    with pytest.raises(TorchtuiError, match=message) as caught:
        make(body)
    assert "\n" not in str(caught.value)


LINE = HEAD.count("\n") + 3
"""Of the function's body."""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", f"mydata.py, line {LINE}: ZeroDivisionError"),
        (
            "Samples.__getitem__ = lambda self, i: [][i]; return Samples()",
            f"mydata.py, line {LINE}: IndexError",
        ),
        ("raise SystemExit(3)", "SystemExit"),
        ("return x, (", "SyntaxError"),
    ],
)
def test_an_error_shows_the_users_line(body: str, message: str, make: Make) -> None:
    with pytest.raises(UserCodeError, match=message) as caught:
        make(body)
    assert "\n" not in str(caught.value)


def test_it_runs_only_with_consent(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UntrustedCode, match=r"mydata\.py is a program"):
        make(f"open({str(tmp_path / 'ran')!r}, 'w'); return x, y", trusted=False)
    assert not (tmp_path / "ran").exists()


def test_no_file_is_told() -> None:
    with pytest.raises(DataError, match=r"data\.path: no function is given\. Give FILE\.py:NAME"):
        load(configuration.from_dict({"data": "python"}).data)


@pytest.mark.slow
def test_a_run_keeps_the_file_and_goes_on_with_it(
    make: Make, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    make("return x, y")
    run = train_run({"data": f"{tmp_path / 'mydata.py'}:make", "training": {"epochs": 2}}).run
    (tmp_path / "mydata.py").write_text("raise RuntimeError('changed since')")
    assert train_run({"training": {"epochs": 3}}, run=run).finished.status == "completed"
    assert len(RunData(run, None).load(lambda what, done, total: None).test) == 12


@pytest.mark.slow
def test_the_example_trains(train_run: Callable[..., Any]) -> None:
    example = REPOSITORY / "examples" / "own_data.py"
    trust(example)
    run = train_run(
        {"data": f"{example}:make", "optimizer": "adam", "training": {"epochs": 10, "batch_size": 32}}
    )
    assert run.finished.status == "completed"
    assert run.told(EpochFinished)[-1].validation["accuracy"] > 0.9


def test_arrays_that_may_not_be_written_are_taken_without_a_warning(make: Make) -> None:
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = make("x.flags.writeable = y.flags.writeable = False; return x, y")
    finally:
        torch.set_warn_always(False)
    assert len(data.class_names) == 3
