"""Weights of samples: read from columns, arrays and files, checked, and settled over the splits."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.schema import from_dict
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.sample_weights import as_weights
from core.errors import DataError

N = 40


def of(**fields: Any) -> Dataset:
    return load(from_dict({"data": fields}).data)


def table(path: Path, weights: Any, target: str = "y") -> Path:
    rows = [f"{at},{(at * 7) % 11},{at % 2},{weights[at]}" for at in range(N)]
    path.write_text("\n".join([f"a,b,{target},w", *rows]))
    return path


def test_a_column_of_weights_is_no_feature_and_follows_its_rows(tmp_path: Path) -> None:
    weights = np.arange(1.0, N + 1) / 10
    data = of(name="csv", path=str(table(tmp_path / "t.csv", weights)), target="y", weight="w")
    assert data.feature_names == ("a", "b")
    assert data.weight_name == "w"
    for split in data.splits.values():
        assert split.weights is not None
        assert split.weights.tolist() == weights[split.indices].tolist()
    sums = [sum(weights[at] for at in data.train.indices if at % 2 == label) for label in (0, 1)]
    assert list(data.target_facts.class_counts) == pytest.approx(sums)


def test_a_column_of_weights_is_never_taken_for_the_target(tmp_path: Path) -> None:
    data = of(name="csv", path=str(table(tmp_path / "t.csv", np.arange(N), "label")), weight="w")
    assert data.table is not None
    assert data.table.target == "label"
    with pytest.raises(DataError, match="w has the weights of the rows"):
        of(name="csv", path=str(tmp_path / "t.csv"), target="w", weight="w")


def test_a_test_file_brings_its_own_weights(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", np.full(N, 2.0))
    table(tmp_path / "test.csv", np.arange(N) + 1)
    paths = {"path": str(tmp_path / "train.csv"), "test_path": str(tmp_path / "test.csv")}
    data = of(name="csv", **paths, target="y", weight="w")
    assert data.test.weights is not None
    assert data.test.weights.tolist() == list(range(1, N + 1))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (["x", "y"] * (N // 2), "got 'x', which is not a number"),
        ([-1.0, *np.ones(N - 1)], "sample 0 has -1"),
        ([1.0, "nan", *np.ones(N - 2)], "sample 1 has nan"),
        (np.zeros(N), "all are 0"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, weights: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"data.weight: w: {re.escape(message)}"):
        of(name="csv", path=str(table(tmp_path / "t.csv", weights)), target="y", weight="w")


def test_a_split_without_weight_is_refused(tmp_path: Path) -> None:
    plain = of(name="csv", path=str(table(tmp_path / "t.csv", np.ones(N))), target="y")
    weights = np.ones(N)
    weights[plain.validation.indices] = 0
    with pytest.raises(DataError, match="weights of all 4 validation samples are 0"):
        of(name="csv", path=str(table(tmp_path / "t.csv", weights)), target="y", weight="w")


def test_an_array_of_weights_and_a_file_of_them(tmp_path: Path) -> None:
    inputs, targets = np.random.default_rng(0).normal(size=(2, N, 1))
    weights = np.arange(N) + 0.5
    np.savez(tmp_path / "a.npz", x=inputs, y=targets, sure=weights)
    np.save(tmp_path / "w.npy", weights)
    for name in ("sure", "w.npy"):
        data = of(name="arrays", path=str(tmp_path / "a.npz"), task="regression", weight=name)
        train = data.train
        assert train.weights is not None
        assert train.weights.tolist() == weights[train.indices].tolist()
        shares = train.weights.numpy() / train.weights.numpy().sum()
        assert data.target_mean[0] == pytest.approx(float(shares @ train.targets.numpy()[:, 0]), rel=1e-6)


def test_built_in_data_takes_a_file_and_refuses_a_column(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.arange(150) + 1.0)
    data = of(name="iris", weight=str(tmp_path / "w.npy"))
    assert data.train.weights is not None
    assert data.train.weights.tolist() == (data.train.indices + 1).tolist()
    with pytest.raises(DataError, match="there is no file 'w'"):
        of(name="iris", weight="w")


def test_numbers_of_any_type_are_weights() -> None:
    assert as_weights(np.array([True, False]), "w").tolist() == [1, 0]
    assert as_weights(np.array(["1", "2.5"], dtype=object), "w").tolist() == [1, 2.5]
