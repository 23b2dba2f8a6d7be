"""Soft labels and classes to ignore, from arrays and tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config.schema import from_dict
from core.data.dataset import Dataset
from core.data.registry import load
from core.errors import DataError

N = 60
DICE = np.random.default_rng(0)
INPUTS = DICE.normal(size=(N, 3)).astype(np.float32)
SHARES = DICE.dirichlet([1, 1, 1], size=N)


def of(**fields: Any) -> Dataset:
    return load(from_dict({"data": fields}).data)


def saved(path: Path, **arrays: Any) -> str:
    np.savez(path / "a.npz", x=INPUTS, **arrays)
    return str(path / "a.npz")


def test_rows_that_sum_to_one_are_soft_labels(tmp_path: Path) -> None:
    data = of(name="arrays", path=saved(tmp_path, y=SHARES.astype(np.float32)))
    assert (data.task, data.class_names, data.soft) == ("multiclass", ("0", "1", "2"), True)
    assert data.test.targets.numpy() == pytest.approx(SHARES[data.test.indices], abs=1e-6)
    assert any(note.startswith("targets: soft labels of 3 classes") for note in data.notes)
    numbers = of(name="arrays", path=saved(tmp_path, y=SHARES), task="regression")
    assert (numbers.task, numbers.outputs) == ("regression", 3)


def test_what_is_no_share_is_refused_where_soft_labels_are_asked_for(tmp_path: Path) -> None:
    wrong = SHARES.copy()
    wrong[4] *= 2
    with pytest.raises(DataError, match="of sample 4, and their sum is 2"):
        of(name="arrays", path=saved(tmp_path, y=wrong), task="soft")
    with pytest.raises(DataError, match="y has the shape 60, and soft labels are wanted"):
        of(name="arrays", path=saved(tmp_path, y=wrong[:, 0]), task="soft")


def test_columns_of_a_table_are_soft_labels_where_asked_for(tmp_path: Path) -> None:
    rows = [",".join(f"{value:.9f}" for value in (*INPUTS[at], *SHARES[at])) for at in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,low,middle,high", *rows]))
    fields = {"name": "csv", "path": str(tmp_path / "t.csv"), "target": ["low", "middle", "high"]}
    data = of(**fields, task="soft")
    assert (data.task, data.class_names, data.soft) == ("multiclass", ("low", "middle", "high"), True)
    assert data.feature_names == ("a", "b", "c")
    assert of(**fields).task == "regression"
    with pytest.raises(DataError, match="soft labels are several columns"):
        of(**fields | {"target": "low"}, task="soft")


def test_samples_of_the_class_to_ignore_are_left_out(tmp_path: Path) -> None:
    classes = np.arange(N) % 3
    classes[::7] = -100
    data = of(name="arrays", path=saved(tmp_path, y=classes, w=np.arange(N) + 1.0), weight="w")
    assert data.class_names == ("0", "1", "2")
    found = np.concatenate([split.indices for split in data.splits.values()])
    assert sorted(found) == [at for at in range(N) if at % 7]
    assert data.train.targets.tolist() == (data.train.indices % 3).tolist()
    assert data.train.weights is not None
    assert data.train.weights.tolist() == (data.train.indices + 1).tolist()
    assert any("left out 9 samples whose class is -100" in note for note in data.notes)


def test_another_class_may_be_ignored_in_a_test_set_too(tmp_path: Path) -> None:
    path = saved(tmp_path, y=np.arange(N) % 3, x_test=INPUTS[:6], y_test=[0, 2, 1, 0, 1, 2])
    data = of(name="arrays", path=path, ignore_index=2)
    assert data.class_names == ("0", "1")
    assert data.test.indices.tolist() == [0, 2, 3, 4]
    assert data.test.targets.tolist() == [0, 1, 0, 1]


def test_nothing_may_be_left(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="-100 for all samples"):
        of(name="arrays", path=saved(tmp_path, y=np.full(N, -100)))
