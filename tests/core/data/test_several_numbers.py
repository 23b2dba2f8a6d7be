"""Several numbers to predict, from tables and arrays."""

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
INPUTS, TARGETS = DICE.normal(size=(N, 2)), DICE.normal(size=(N, 2)) * [1, 40] + [3, -200]


def of(**fields: Any) -> Dataset:
    return load(from_dict({"data": fields}).data)


@pytest.fixture
def table(tmp_path: Path) -> str:
    rows = [",".join(f"{value:.6f}" for value in (*INPUTS[at], *TARGETS[at])) for at in range(N)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,height,mass", *rows]))
    return str(tmp_path / "t.csv")


def test_columns_of_numbers_are_targets_by_name(table: str) -> None:
    data = of(name="csv", path=table, target=["mass", "height"])
    assert (data.task, data.target_names, data.feature_names) == (
        "regression",
        ("mass", "height"),
        ("a", "b"),
    )
    assert data.outputs == 2
    test = TARGETS[data.test.indices][:, ::-1]
    assert data.test.targets.numpy() == pytest.approx(test, abs=1e-4)
    assert any("2 numbers to predict: mass, height" in note for note in data.notes)


def test_heavy_tails_of_each_target_are_clipped_on_their_own(table: str) -> None:
    lines = Path(table).read_text().splitlines()
    data = of(name="csv", path=table, target=["height", "mass"])
    for at in data.train.indices[:2]:
        lines[at + 1] = lines[at + 1].rpartition(",")[0] + ",9e9"
    Path(table).write_text("\n".join(lines))
    clipped = of(name="csv", path=table, target=["height", "mass"])
    assert clipped.target_std[0] == pytest.approx(data.target_std[0])
    assert clipped.target_std[1] < 1e5
    assert any("heavy tails of mass are clipped" in note for note in clipped.notes)


def test_columns_of_an_array_are_targets(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=INPUTS, y=TARGETS, x_test=INPUTS[:9], y_test=TARGETS[:9])
    data = of(name="arrays", path=str(tmp_path / "a.npz"))
    assert (data.task, data.target_names) == ("regression", ("target 1", "target 2"))
    assert data.test.targets.numpy() == pytest.approx(TARGETS[:9])
    assert data.target_mean == pytest.approx(TARGETS[data.train.indices].mean(axis=0), rel=1e-5)
    np.savez(tmp_path / "b.npz", x=INPUTS, y=TARGETS, target_names=["height", "mass"])
    assert of(name="arrays", path=str(tmp_path / "b.npz")).target_names == ("height", "mass")


def test_splits_have_the_same_targets(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=INPUTS, y=TARGETS, x_test=INPUTS, y_test=DICE.normal(size=(N, 3)))
    with pytest.raises(DataError, match="other targets in train than in another split"):
        of(name="arrays", path=str(tmp_path / "a.npz"))


def test_facts_of_a_run_keep_each_target(table: str, tmp_path: Path) -> None:
    from core.runs.data_facts import known_data, write_data_facts
    from core.runs.folder import Run

    data, run = of(name="csv", path=table, target=["height", "mass"]), Run(tmp_path)
    write_data_facts(run, data)
    known = known_data(run)
    assert known is not None
    assert (known.target_mean, known.target_std) == (data.target_mean, data.target_std)
    assert (known.target_names, known.outputs) == (data.target_names, 2)


def test_facts_of_older_runs_have_one_number(table: str, tmp_path: Path) -> None:
    import json

    from core.runs.data_facts import known_data, write_data_facts
    from core.runs.folder import Run

    run = Run(tmp_path)
    write_data_facts(run, of(name="csv", path=table, target="height", drop=["mass"]))
    facts = json.loads(run.data_file.read_text())
    facts |= {"target_mean": 1.5, "target_std": 2.0}
    del facts["target_names"]
    run.data_file.write_text(json.dumps(facts))
    known = known_data(run)
    assert known is not None
    assert (known.target_mean, known.target_std, known.outputs) == ((1.5,), (2.0,), 1)
