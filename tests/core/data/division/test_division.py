"""Splits by groups, by time, and as given, of tables, arrays, functions, images and built-in sets."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.config.schema import from_dict
from core.data.dataset import Dataset
from core.data.division.by import groups_of
from core.data.division.files import SampleNames, read_split_file, read_values_file
from core.data.division.groups import divide_groups, group_fold
from core.data.division.times import divide_times, parse_gap, shown_time, time_fold
from core.data.registry import load
from core.errors import DataError
from core.user_code.trust import trust

ROWS = 240


def table() -> pl.DataFrame:
    """Patients of some rows each, a date of each row, and a column of splits."""
    rng = np.random.default_rng(0)
    day = np.datetime64("2020-01-01") + rng.integers(0, 700, ROWS)
    return pl.DataFrame(
        {
            "patient": [f"P{number:02d}" for number in rng.integers(0, 30, ROWS)],
            "date": day.astype(str),
            "fold": rng.choice(["training", "dev", "hold-out"], ROWS, p=[0.7, 0.1, 0.2]),
            "a": rng.normal(size=ROWS),
            "b": rng.normal(size=ROWS),
            "y": rng.choice(["no", "yes"], ROWS),
        }
    )


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    table().write_csv(path)
    return str(path)


def of(name: str, path: str, **settings: Any) -> Dataset:
    target = {"target": "y"} if name == "csv" else {}
    return load(from_dict({"data": {"name": name, "path": path, **target, **settings}}).data, None)


def rows(data: Dataset) -> dict[str, np.ndarray]:
    return {name: split.indices for name, split in data.splits.items()}


def test_rows_of_one_group_stay_together_in_a_table(csv: str) -> None:
    data = of("csv", csv, group="patient")
    patients = table()["patient"].to_numpy()
    found = {name: set(patients[at]) for name, at in rows(data).items()}
    assert not found["train"] & found["validation"]
    assert not (found["train"] | found["validation"]) & found["test"]
    assert sum(map(len, found.values())) == 30
    assert data.feature_names[:2] == ("date days", "date month")
    assert not any("patient" in name for name in data.feature_names)
    assert any(note.startswith("groups of patient: ") and "no group is in two" in note for note in data.notes)
    assert data.train.groups is not None
    assert len(data.train.groups) == len(data.train)
    assert any("patient=" in name for name in of("csv", csv, group="patient", keep=["patient"]).feature_names)


def test_validation_comes_after_train_and_the_test_after_both_with_a_gap(csv: str) -> None:
    data = of("csv", csv, time="date", gap="7 days")
    dates = table()["date"].str.to_date().to_numpy()
    spans = {name: (dates[at].min(), dates[at].max()) for name, at in rows(data).items()}
    week = np.timedelta64(7, "D")
    assert spans["validation"][0] - spans["train"][1] >= week
    assert spans["test"][0] - spans["validation"][1] >= week
    assert len(data.test) == pytest.approx(0.2 * ROWS, abs=2)
    assert not any(name.startswith("date") for name in data.feature_names)
    assert any(note.startswith("times of date: train 2020-01-") for note in data.notes)


def test_a_column_of_splits_is_read_in_any_usual_spelling(csv: str) -> None:
    data = of("csv", csv, split="fold")
    folds = table()["fold"].to_numpy()
    assert {str(fold) for fold in folds[data.train.indices]} == {"training"}
    assert {str(fold) for fold in folds[data.validation.indices]} == {"dev"}
    assert {str(fold) for fold in folds[data.test.indices]} == {"hold-out"}
    assert "split by fold: 'training' is train" in "\n".join(data.notes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"group": "y", "target": "fold"}, "data.group: y has 2 groups, fewer than the 3 splits"),
        ({"time": "patient"}, "data.time: 240 of 240 values of patient are neither dates nor numbers"),
        ({"split": "patient"}, "data.split: patient holds "),
        ({"group": "patiend"}, "data.group: there is neither a column nor a file 'patiend'"),
        ({"gap": "7"}, "data.gap: got a gap without data.time"),
        ({"time": "date", "gap": "soon"}, "data.gap: got 'soon'"),
        ({"keep": ["a"]}, "data.keep: 'a' is none of the columns"),
        ({"group": "y"}, "data.target: y says how the data is split"),
        ({"split": "fold", "folds": 3}, "data.split: fold has a validation split, and data.folds"),
    ],
)
def test_what_cannot_divide_a_table_is_refused(csv: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        of("csv", csv, **settings)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("kind", ["group", "time"])
def test_folds_keep_groups_together_and_times_in_order(csv: str, kind: str) -> None:
    column = {"group": "patient", "time": "date"}[kind]
    values = table()[column].to_numpy()
    held = []
    for fold in (1, 2, 3):
        data = of("csv", csv, folds=3, fold=fold, **{kind: column})
        held.append(data.validation.indices)
        if kind == "time":
            assert values[data.train.indices].max() < values[data.validation.indices].min()
        else:
            assert not {*values[data.train.indices]} & {*values[data.validation.indices]}
        assert len(rows(data)["test"]) == len(rows(of("csv", csv, **{kind: column}))["test"])
    assert len(np.unique(np.concatenate(held))) == sum(map(len, held))


def test_arrays_are_divided_by_an_array_beside_them_or_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    who, when = rng.integers(0, 20, 100), rng.permutation(100)
    path = str(tmp_path / "a.npz")
    np.savez(path, x=rng.normal(size=(100, 3)), y=rng.integers(0, 2, 100), who=who, when=when)
    data = of("arrays", path, group="who")
    assert not {*who[data.train.indices]} & {*who[data.test.indices]}
    data = of("arrays", path, time="when", gap=5)
    assert when[data.train.indices].max() + 5 <= when[data.validation.indices].min()
    (tmp_path / "who.txt").write_text("\n".join(map(str, who)))
    assert np.array_equal(
        of("arrays", path, group="who.txt").test.indices, of("arrays", path, group="who").test.indices
    )


def test_a_function_gives_groups_by_key_or_by_attribute(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np, torch\n"
        "who = np.arange(60) % 12\n"
        "def by_key():\n    return {'x': np.random.rand(60, 3), 'y': np.arange(60) % 2, 'who': who}\n"
        "def by_attribute():\n"
        "    data = torch.utils.data.TensorDataset(torch.rand(60, 3), torch.arange(60) % 2)\n"
        "    data.who = who\n    return data\n"
    )
    trust(path)
    for name in ("by_key", "by_attribute"):
        data = of("python", f"{path}:{name}", group="who")
        assert not {*(data.train.indices % 12)} & {*(data.test.indices % 12)}


def test_images_are_divided_by_a_column_an_expression_or_a_list_of_names(tmp_path: Path) -> None:
    from PIL import Image

    names = [f"p{number % 8}_{number}.png" for number in range(48)]
    for number, name in enumerate(names):
        Image.new("L", (4, 4), number * 5).save(tmp_path / name)
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "file,label,who\n"
        + "".join(f"{name},{'ab'[at // 8 % 2]},{at % 8}\n" for at, name in enumerate(names))
    )
    (tmp_path / "test.json").write_text(json.dumps({"test": names[:10]}))
    settings = {"images": str(tmp_path)}
    ordered = sorted(names)
    by_column, by_name = (
        of("image_folder", str(labels), group=group, **settings) for group in ("who", r"p(\d)_")
    )
    for data in (by_column, by_name):
        assert not {ordered[at][1] for at in data.train.indices} & {
            ordered[at][1] for at in data.test.indices
        }
    listed = of("image_folder", str(labels), split=str(tmp_path / "test.json"), **settings)
    assert {ordered[at] for at in listed.test.indices} == {*names[:10]}
    with pytest.raises(DataError, match="matches no part of 48 of 48 images"):
        of("image_folder", str(labels), group=r"q(\d)", **settings)


def test_a_built_in_set_takes_a_file_and_keeps_its_own_test(tmp_path: Path) -> None:
    path = tmp_path / "splits.json"
    path.write_text(
        json.dumps({"train": [*range(100)], "val": [*range(100, 140)], "test": [*range(140, 178)]})
    )
    data = load(from_dict({"data": {"name": "wine", "split": str(path)}}).data, None)
    assert data.test.indices.tolist() == [*range(140, 178)]


def shares(classes: np.ndarray, at: np.ndarray) -> float:
    return float(classes[at].mean())


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_held_out_in_about_equal_shares_of_each_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 60, 1200)
    classes = (rng.random(1200) < 0.1 + 0.3 * (codes % 2)).astype(np.int64)
    kept, held = divide_groups(codes, classes, 0.2, seed=seed, field="data.test")
    assert not {*codes[kept]} & {*codes[held]}
    assert len(held) == pytest.approx(240, abs=25)
    assert shares(classes, held) == pytest.approx(shares(classes, kept), abs=0.05)


def test_a_class_of_one_group_is_trained_on() -> None:
    codes, classes = np.repeat(np.arange(8), 5), np.repeat([0, 1, 0, 1, 0, 1, 0, 2], 5)
    for seed in range(10):
        kept, _ = divide_groups(codes, classes, 0.4, seed=seed, field="data.test")
        assert {*classes[kept]} == {0, 1, 2}
    folds = [group_fold(codes, codes % 2, fold, 3, seed=0)[1] for fold in (1, 2, 3)]
    rare = 1 + next(place for place, at in enumerate(folds) if 7 in codes[at])
    with pytest.raises(DataError, match="all samples of class rare are in groups of fold"):
        group_fold(codes, np.where(codes == 7, 2, codes % 2), rare, 3, seed=0, names=("a", "b", "rare"))


def test_many_groups_are_divided_by_chance() -> None:
    codes = np.repeat(np.arange(6000), 2)
    kept, held = divide_groups(codes, codes % 3, 0.25, seed=1, field="data.test")
    assert len(held) == pytest.approx(3000, abs=2)
    assert not {*codes[kept]} & {*codes[held]}


def test_samples_of_one_time_are_on_one_side() -> None:
    times = np.repeat([1.0, 2.0, 3.0], [5, 4, 1])
    kept, held = divide_times(times, 0.2, 0, field="data.test")
    assert set(times[held]) == {3.0}
    assert set(times[kept]) == {1.0, 2.0}
    with pytest.raises(DataError, match="all 3 samples that are left are of one time"):
        divide_times(np.ones(3), 0.2, 0, field="data.test")
    with pytest.raises(DataError, match="many samples are of the same time"):
        time_fold(times, 1, 5, 0)


@pytest.mark.parametrize(
    ("text", "days"), [("7 days", 7), ("12h", 0.5), ("30 min", 30 / 1440), ("2 weeks", 14), ("3", 3), ("", 0)]
)
def test_gaps_are_lengths_of_time(text: str, days: float) -> None:
    assert parse_gap(text, dated=True) == pytest.approx(days)


def test_times_are_shown_as_dates_with_the_hour_where_there_is_one() -> None:
    assert shown_time(18262.0, True) == "2020-01-01"
    assert shown_time(18262.5, True) == "2020-01-01 12:00"
    assert shown_time(12.5, False) == "12.5"


def test_samples_without_a_group_are_alone() -> None:
    found = groups_of(np.array(["a", None, "a", ""], dtype=object))
    assert found.alone == 2
    assert len(np.unique(found.codes)) == 3


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("s.json", '{"train": [0, 1], "dev": [2], "test": [3]}', [0, 0, 1, 2]),
        ("s.json", '{"test": ["d"]}', [0, 0, 0, 2]),
        ("s.json", '{"a": "train", "b": "val", "c": "test", "d": "train"}', [0, 1, 2, 0]),
        ("s.json", '["train", "train", "val", "test"]', [0, 0, 1, 2]),
        ("s.csv", "id,split\na,train\nb,valid\nd,Testing\n", [0, 1, -1, 2]),
        ("s.csv", "split\ntrain\ntrain\nval\ntest\n", [0, 0, 1, 2]),
        ("s.txt", "train\ntrain\ndev\ntest\n", [0, 0, 1, 2]),
        ("s.txt", "a train\nb test\nc train\nd train\n", [0, 2, 0, 0]),
        ("test.txt", "c\nd\n", [0, 0, 2, 2]),
        ("test_ids.txt", "2\n", None),
    ],
)
def test_files_of_splits_are_lists_or_columns(
    tmp_path: Path, name: str, content: str, expected: list[int] | None
) -> None:
    path = tmp_path / name
    path.write_text(content)
    samples = SampleNames(4, {"id": np.array([*"abcd"])})
    if expected is None:
        with pytest.raises(DataError, match="has no column of train, validation and test"):
            read_split_file(path, samples)
    else:
        assert read_split_file(path, samples)[0].tolist() == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.json", '{"train": [0, 9]}', "1 of 2 entries name no sample, such as '9'"),
        ("s.json", '{"train": [0], "test": [0]}', "1 sample in more than one split"),
        ("s.json", "[1, ", "s.json cannot be read"),
        ("s.json", '{"rest": [0]}', "'rest', where lists of train, validation and test are taken"),
        ("s.csv", "split\ntrain\n", "1 entries for 4 samples"),
        ("s.bin", "", "is not a file of values"),
    ],
)
def test_files_that_do_not_fit_the_samples_are_refused(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_split_file(path, SampleNames(4))
    assert message in caught.value.message
    assert caught.value.message.startswith("data.split: ")


def test_files_of_values_have_one_for_each_sample(tmp_path: Path) -> None:
    path = tmp_path / "who.csv"
    path.write_text("id,who\na,x\nb,y\nc,x\n")
    named: Mapping[str, np.ndarray] = {"id": np.array([*"abc"])}
    assert read_values_file(path, SampleNames(3, named), "data.group").tolist() == ["x", "y", "x"]
    with pytest.raises(DataError, match="has no value for 1 of 4 samples"):
        read_values_file(path, SampleNames(4, {"id": np.array([*"abcd"])}), "data.group")
