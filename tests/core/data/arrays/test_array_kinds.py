"""Signals, tokens and other samples in arrays: inferred and reported, or asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.arrays.sample_shapes import layout_of
from core.data.dataset import Dataset, Split
from core.data.registry import load
from core.errors import DataError
from tests.support.narrow import instance

RANDOM = np.random.default_rng(0)
Arrays = dict[str, np.ndarray]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Dataset]:
    def load_arrays(arrays: Arrays, **settings: Any) -> Dataset:
        np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type] # the names are not those of its own
        data = {"name": "arrays", "path": str(tmp_path / "a.npz"), **settings}
        return load(configuration.from_dict({"data": data}).data)

    return load_arrays


def tensor(split: Split) -> torch.Tensor:
    return instance(torch.Tensor, split.inputs)


def sensors(n: int = 60, steps: int = 50, channels: int = 6) -> np.ndarray:
    values = RANDOM.normal(size=(n, steps, channels)).astype(np.float32)
    values[:, :, 3] = 100 * values[:, :, 3] + 7
    return values


@pytest.mark.parametrize(
    ("shape", "dtype", "name", "layout"),
    [
        ((9, 50, 6), "f4", "x", "signal_channels_last"),
        ((9, 6, 50), "f4", "x", "signal"),
        ((9, 1, 4000), "f4", "x", "signal"),
        ((9, 20, 30), "f4", "sensors", None),
        ((9, 20, 40), "f4", "ecg_train", "signal"),
        ((9, 28, 28), "f4", "x", "channels_first"),
        ((9, 28, 14), "u1", "x", "channels_first"),
        ((9, 10, 12), "f4", "x", None),
        ((9, 12), "i8", "input_ids", "tokens"),
        ((9, 12), "i8", "x", "table"),
        ((9, 12), "f4", "tokens", "table"),
        ((9, 2, 8, 8, 8), "f4", "x", None),
    ],
)
def test_the_layout_is_inferred_or_asked_for(
    shape: tuple[int, ...], dtype: str, name: str, layout: str | None
) -> None:
    array, notes = np.ones(shape, dtype), list[str]()
    if layout is None:
        with pytest.raises(DataError, match=r"Set data\.shape to"):
            layout_of(array, "auto", name, "here", notes)
    else:
        assert layout_of(array, "auto", name, "here", notes) == layout
        assert len(notes) == (layout != "table")


def test_signals_have_statistics_of_each_channel(loaded: Callable[..., Dataset]) -> None:
    values = sensors()
    data = loaded({"x": values, "y": np.arange(60) % 2})
    assert (data.kind, data.sample_shape) == ("signal", (6, 50))
    note = "inputs: signals of 6 channels x 50 steps, by the shape of x, 60x50x6; data.shape=signal takes"
    assert any(line.startswith(note) for line in data.notes)
    train = values[data.train.indices].astype(np.float64)
    assert data.mean.shape == (6, 1)
    assert np.allclose(data.mean[:, 0], train.mean((0, 1)), atol=1e-5)
    assert np.allclose(data.std[:, 0], train.std((0, 1)), rtol=1e-5)
    first = loaded({"x": values.transpose(0, 2, 1), "y": np.arange(60) % 2})
    assert torch.equal(first.mean, data.mean)
    assert torch.equal(tensor(first.train), tensor(data.train))


def test_rows_can_be_signals_of_one_channel(loaded: Callable[..., Dataset]) -> None:
    data = loaded({"x": RANDOM.normal(size=(60, 40)), "y": np.arange(60) % 2}, shape="signal")
    assert (data.kind, data.sample_shape) == ("signal", (1, 40))


def test_a_channel_that_float32_cannot_hold_is_refused(loaded: Callable[..., Dataset]) -> None:
    values = np.float64(1.7e9) + np.arange(60 * 20).reshape(60, 1, 20) / 100
    with pytest.raises(DataError, match=r"channel 1 has values around 1\.7e\+09 that differ by less"):
        loaded({"x": values, "y": np.arange(60) % 2})


def test_tokens_keep_their_ids_and_what_train_lacks_is_one_id(loaded: Callable[..., Dataset]) -> None:
    ids = RANDOM.integers(1, 30, (60, 12))
    test = np.array([[1, 2, 99] * 4, [5, 98, 6] * 4])
    arrays = {"tokens": ids, "y": np.arange(60) % 2, "x": ids}
    data = loaded(
        arrays | {"tokens_test": test, "y_test": np.array([0, 1])}, inputs="tokens", targets="y", padding=2
    )
    assert data.kind == "tokens"
    assert data.ids
    assert data.vocabulary is not None
    known = int(ids[data.train.indices].max()) + 1
    assert (data.sample.vocabulary, data.sample.padding) == (known + 1, 2)
    assert np.array_equal(tensor(data.train), ids[data.train.indices])
    assert tensor(data.test).tolist() == [[1, 2, known] * 4, [5, known, 6] * 4]
    assert any(note.startswith("test: 8 ids are larger") for note in data.notes)


def test_tokens_that_are_none_are_refused(loaded: Callable[..., Dataset]) -> None:
    y = np.arange(60) % 2
    for values in (RANDOM.normal(size=(60, 5)), np.ones((60, 2, 5), int)):
        with pytest.raises(DataError, match="tokens are whole numbers, a row a sample"):
            loaded({"x": values, "y": y}, shape="tokens")
    with pytest.raises(DataError, match="has negative ids, first in sample 0"):
        loaded({"x": np.full((60, 4), -1), "y": y}, shape="tokens")
    with pytest.raises(DataError, match=r"data\.padding: got 50, but the largest id is 8"):
        loaded({"x": np.full((60, 4), 8), "y": y}, shape="tokens", padding=50)


def test_any_other_shape_has_one_mean(loaded: Callable[..., Dataset]) -> None:
    values = RANDOM.normal(3, 2, (40, 2, 4, 4, 4)).astype(np.float32)
    data = loaded({"x": values, "y": np.arange(40) % 2}, shape="other")
    assert (data.kind, data.sample_shape) == ("other", (2, 4, 4, 4))
    assert float(data.mean) == pytest.approx(values[data.train.indices].mean(), abs=1e-5)
    assert float(data.std) == pytest.approx(values[data.train.indices].std(), rel=1e-5)
