"""Tables from files: what is found in them, and what becomes of it, from the training rows alone."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.tables.targets.derived import follows
from core.errors import DataError
from tests.support.narrow import instance

Read = Callable[..., Dataset]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The data set of a file with some content."""

    def read(content: str | bytes | pl.DataFrame, name: str = "my.csv", **fields: Any) -> Dataset:
        path = tmp_path / name
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        values = {"path": str(path), "test": 0.25, "validation": 0.25, **fields}
        return load(configuration.from_dict({"data": {"name": "csv", **values}}).data)

    return read


def rows(data: Dataset, split: str = "train") -> torch.Tensor:
    """The inputs, which are in memory."""
    return instance(torch.Tensor, data.splits[split].inputs)


def feature(data: Dataset, name: str, split: str = "train") -> np.ndarray:
    """One column of the inputs."""
    return rows(data, split)[:, data.feature_names.index(name)].numpy()


def lines(header: str, *columns: list[Any], mark: str = ",") -> str:
    return "\n".join([header, *(mark.join(map(str, row)) for row in zip(*columns, strict=True))]) + "\n"


NUMBERS = [0.5 * at for at in range(40)]
KINDS = ["yes" if at % 2 else "no" for at in range(40)]


def test_a_file_becomes_scaled_features_classes_and_splits(read: Read) -> None:
    data = read(lines("size,kind", NUMBERS, KINDS))
    assert (data.name, data.kind, data.task) == ("my", "table", "binary")
    assert data.class_names == ("no", "yes")
    assert data.feature_names == ("size",)
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 22,
        "validation": 8,
        "test": 10,
    }
    train = np.array(NUMBERS)[data.train.indices]
    for name, split in data.splits.items():
        expected = (np.array(NUMBERS)[split.indices] - train.mean()) / train.std()
        assert feature(data, "size", name) == pytest.approx(expected, abs=1e-6)
        assert [data.class_names[target] for target in split.targets] == [KINDS[at] for at in split.indices]


def test_missing_values_are_filled_with_the_median_of_train_and_counted(read: Read) -> None:
    marks = ["", "?", " na ", "N/A", "NaN", "null"]
    sizes = [marks[at // 6] if at % 6 == 0 and at // 6 < len(marks) else at for at in range(40)]
    data = read(lines("size,kind", sizes, KINDS))
    assert "imputed 6 missing values with the median of train: size 6" in data.notes
    known = [sizes[at] for at in data.train.indices if not isinstance(sizes[at], str)]
    filled = [
        float(np.median(known)) if isinstance(sizes[at], str) else float(sizes[at])
        for at in data.train.indices
    ]
    expected = (np.array(filled) - np.mean(filled)) / np.std(filled)
    assert feature(data, "size") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("mark", ["\\N", "NaT", "<NA>", "[NULL]", "(null)"])
def test_what_databases_and_pandas_write_for_a_missing_value_is_none(read: Read, mark: str) -> None:
    sizes = [mark if at % 4 == 0 else at for at in range(40)]
    data = read(lines("size,kind", sizes, KINDS))
    assert data.feature_names == ("size",)
    assert any(note.startswith("imputed 10 missing values") for note in data.notes)


def test_what_stands_for_a_missing_value_can_be_chosen(read: Read) -> None:
    sizes = [-999 if at % 10 == 0 else at for at in range(40)]
    assert "size 4" in " ".join(read(lines("size,kind", sizes, KINDS), missing=["-999"]).notes)
    odd = read(lines("size,kind", ["NA", *range(39)], KINDS), missing=["-999"])
    assert any(note.startswith("size: 1 of 40 values are not numbers or dates") for note in odd.notes)


def test_texts_get_a_feature_each_and_rare_ones_share_one(read: Read) -> None:
    colours = ["red", "blue", "red", "?", "green", "red", "blue", "pink"] * 5
    data = read(lines("colour,kind", colours, KINDS))
    names = ("colour=blue", "colour=green", "colour=pink", "colour=red", "colour=(missing)")
    assert data.feature_names == names
    assert (rows(data).sum(dim=1) == 1).all()
    assert feature(data, "colour=red").tolist() == [float(colours[at] == "red") for at in data.train.indices]
    assert "missing categories, a feature of their own: colour 5" in data.notes
    few = read(lines("colour,kind", colours, KINDS), max_categories=2)
    assert few.feature_names == ("colour=blue", "colour=red", "colour=(others)", "colour=(missing)")
    assert (rows(few).sum(dim=1) == 1).all()
    assert any("all others share one: colour 2" in note for note in few.notes)


def test_validation_and_test_rows_teach_nothing(read: Read) -> None:
    text = lines("size,colour,kind", NUMBERS, ["red", "blue"] * 20, KINDS)
    before = read(text)
    changed = text.splitlines()
    for at in [*before.validation.indices, *before.test.indices]:
        changed[at + 1] = f"1e9,black,{KINDS[at]}"
    after = read("\n".join(changed))
    assert after.feature_names == before.feature_names
    assert rows(after).equal(rows(before))
    assert not feature(after, "colour=red", "test").any()


def test_dates_become_days_month_and_weekday(read: Read) -> None:
    days = [f"2024-{1 + at % 12:02}-{1 + at % 28:02}" for at in range(40)]
    data = read(lines("seen,kind", days, KINDS))
    assert data.feature_names == ("seen days", "seen month", "seen weekday")
    numbers = np.array([date.fromisoformat(days[at]).toordinal() for at in data.train.indices], dtype=float)
    assert feature(data, "seen days") == pytest.approx((numbers - numbers.mean()) / numbers.std(), abs=1e-5)
    weekdays = np.array([date.fromisoformat(days[at]).isoweekday() for at in data.train.indices], dtype=float)
    assert feature(data, "seen weekday") == pytest.approx(
        (weekdays - weekdays.mean()) / weekdays.std(), abs=1e-5
    )
    assert any(note.endswith("dates are read as year-month-day") for note in data.notes)


@pytest.mark.parametrize(
    "format_",
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"],
)
def test_times_of_day_give_the_hour(format_: str, read: Read) -> None:
    moments = [datetime(2024, 1 + at % 12, 1 + at % 28, at % 24, 30) for at in range(40)]
    data = read(lines("seen,kind", [moment.strftime(format_) for moment in moments], KINDS))
    assert data.feature_names == ("seen days", "seen month", "seen weekday", "seen hour")
    hours = np.array([moments[at].hour for at in data.train.indices], dtype=float)
    assert feature(data, "seen hour") == pytest.approx((hours - hours.mean()) / hours.std(), abs=1e-5)


@pytest.mark.parametrize(
    ("header", "asked", "chosen"),
    [
        ("a,b,kind", "", "target: kind (the last column), 2 classes"),
        ("a,Label,b", "", "target: Label (by its name), 2 classes"),
        ("kind,a,b", "kind", "target: kind (as given), 2 classes"),
    ],
)
def test_the_target_is_chosen_or_found_and_told(header: str, asked: str, chosen: str, read: Read) -> None:
    columns = [KINDS if name in ("kind", "Label") else NUMBERS for name in header.split(",")]
    assert read(lines(header, *columns), target=asked).notes[0] == chosen


@pytest.mark.parametrize(
    ("targets", "task", "names"),
    [
        ([at % 3 for at in range(40)], "multiclass", ("0", "1", "2")),
        ([10 * (at % 3) for at in range(40)], "multiclass", ("0", "10", "20")),
        (["1.0", "0.0"] * 20, "binary", ("0", "1")),
        (["true", "false"] * 20, "binary", ("false", "true")),
        (NUMBERS, "regression", ()),
        (list(range(40)), "regression", ()),
        ([0.5, 1.5] * 20, "regression", ()),
    ],
)
def test_the_task_is_found_from_the_values(
    targets: list[Any], task: str, names: tuple[str, ...], read: Read
) -> None:
    data = read(lines("size,target", NUMBERS, targets))
    assert (data.task, data.class_names) == (task, names)


def test_the_task_can_be_chosen(read: Read) -> None:
    text = lines("size,target", NUMBERS, [at % 3 for at in range(40)])
    data = read(text, task="regression")
    assert data.task == "regression"
    assert data.target_mean[0] == pytest.approx(float(data.train.targets.mean()))
    assert read(lines("size,target", NUMBERS, [0.5, 1.5] * 20), task="classification").class_names == (
        "0.5",
        "1.5",
    )


def test_columns_are_left_out_with_a_reason(read: Read) -> None:
    header = "id,size,name,empty,same,zip,kind"
    columns = [
        range(40),
        NUMBERS,
        [f"n{at}" for at in range(40)],
        [""] * 40,
        [7] * 40,
        [at % 2 for at in range(40)],
    ]
    data = read(lines(header, *map(list, columns), KINDS), categories=["zip"], max_categories=5)
    assert data.feature_names == ("size", "zip=0", "zip=1")
    first = f"n{data.train.indices[0]}"
    for line in (
        "left out id: another number in each row, as ids have",
        f"left out name: 22 different texts in 22 training rows, such as '{first}'",
        "left out empty: no training row has a value",
        "left out same: the same value in all training rows",
    ):
        assert line in data.notes
    assert read(lines(header, *map(list, columns), KINDS), drop=["zip", "name"]).feature_names == ("size",)


def test_rows_without_a_target_are_left_out_on_demand_and_empty_lines_always(read: Read) -> None:
    kinds = ["" if at in (3, 30) else kind for at, kind in enumerate(KINDS)]
    text = lines("size,kind", NUMBERS, kinds).replace("\n", "\n\n", 2) + "\n\n"
    data = read(text, missing_target="drop")
    assert {"left out 2 rows whose target is missing", "left out 4 empty lines"} <= {*data.notes}
    assert sum(map(len, data.splits.values())) == 38


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", lines("size,kind", NUMBERS, KINDS).replace("\n", "\r\n")),
        ("b.csv", "\ufeff" + lines("size,kind", NUMBERS, KINDS)),
        ("c.tsv", lines("size\tkind", NUMBERS, KINDS, mark="\t")),
        ("d.csv", lines("size;kind", [str(value).replace(".", ",") for value in NUMBERS], KINDS, mark=";")),
        ("e.csv", lines("size|kind", NUMBERS, KINDS, mark="|")),
        ("f.csv", lines('"size","kind"', NUMBERS, [f'"{kind}"' for kind in KINDS])),
        ("g.csv", lines("size, kind", NUMBERS, KINDS, mark=", ")),
        ("h.csv", lines("size,kind", NUMBERS, KINDS).encode("utf-16")),
        ("i.csv", "\n\n" + lines("size,kind", NUMBERS, KINDS).rstrip("\n")),
        ("j.csv", lines("size,kind", NUMBERS, KINDS).replace("\n", "\r")),
        ("k.parquet", pl.DataFrame({"size": NUMBERS, "kind": KINDS})),
    ],
)
def test_the_same_table_in_other_dress_is_the_same(name: str, content: Any, read: Read) -> None:
    plain, other = read(lines("size,kind", NUMBERS, KINDS)), read(content, name)
    assert other.feature_names == plain.feature_names
    assert other.class_names == plain.class_names
    for split in ("train", "validation", "test"):
        assert rows(other, split).equal(rows(plain, split))
        assert other.splits[split].targets.equal(plain.splits[split].targets)


@pytest.mark.parametrize("name", ["value", "variable", "len", "text", "count", "finer"])
def test_a_column_may_have_any_name(name: str, read: Read) -> None:
    texts = ["NA", "big", "small", "mid", "low"] * 8
    for values in (texts, [f"{at} €" for at in NUMBERS], ["x", "", *["5. März 2021", "7. Mai 2022"] * 19]):
        data = read(lines(f"size,{name},kind", NUMBERS, values, KINDS), target="kind")
        assert any(feature.startswith(name) for feature in data.feature_names)
    assert read(lines(f"size,{name}", NUMBERS, KINDS), target=name).class_names == ("no", "yes")
    groups = pl.DataFrame({name: list("abcd") * 10, "group": ["one", "two", "three", "three"] * 10})
    assert follows(groups, "group", [name]) == name


@pytest.mark.parametrize("field", [' "one, two"', '"a \\"b\\", c"', '"\\"b, c\\""'])
def test_quotes_behind_a_blank_or_a_backslash_hold_a_field_together(field: str, read: Read) -> None:
    texts = [field if at % 3 else "other" for at in range(40)]
    data = read(lines("size, remark, kind", NUMBERS, texts, [f' "{kind}"' for kind in KINDS]))
    assert data.class_names == ("no", "yes")
    text = field.strip().replace("\\", "")[1:-1]
    assert {*data.feature_names} == {"size", "remark=other", f"remark={text}"}


def test_a_backslash_at_the_end_of_a_field_stands_for_itself(read: Read) -> None:
    folders = ['"C:\\a, b\\"' if at % 3 else '"C:\\c\\"' for at in range(40)]
    data = read(lines("size,folder,kind", NUMBERS, folders, KINDS))
    assert data.feature_names == ("size", "folder=C:\\a, b\\", "folder=C:\\c\\")


def test_other_encodings_and_files_without_names(read: Read) -> None:
    colours = ["grün", "blau"] * 20
    latin = lines("colour,kind", colours, KINDS).encode("cp1252")
    assert read(latin, encoding="cp1252").feature_names == ("colour=blau", "colour=grün")
    bare = lines("0.25,yes", NUMBERS, KINDS)
    assert read(bare, header=False).feature_names == ("column_1",)


def test_parquet_keeps_its_types(read: Read) -> None:
    frame = pl.DataFrame(
        {
            "size": [None if at == 5 else float(at) for at in range(40)],
            "count": list(range(40)),
            "seen": [date(2024, 1 + at % 12, 1 + at % 28) for at in range(40)],
            "good": [at % 2 == 0 for at in range(40)],
            "kind": KINDS,
        }
    )
    data = read(frame, "my.parquet")
    names = ("size", "count", "seen days", "seen month", "seen weekday", "good=false", "good=true")
    assert data.feature_names == names
    assert "imputed 1 missing values with the median of train: size 1" in data.notes


def test_numbers_in_the_first_rows_and_texts_in_the_others_are_texts(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.data.tables.values.rows.SAMPLE_ROWS", 10)
    codes = [at % 3 if at < 10 else "abc"[at % 3] for at in range(40)]
    data = read(lines("code,kind", codes, KINDS))
    assert data.feature_names == ("code=0", "code=1", "code=2", "code=a", "code=b", "code=c")


def test_a_test_file_is_scaled_by_the_training_file(tmp_path: Path, read: Read) -> None:
    other = tmp_path / "other.csv"
    other.write_text("kind,size,more\nyes,100,1\nno,,2\n")
    data = read(lines("size,kind", NUMBERS, KINDS), test_path=str(other))
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 30,
        "validation": 10,
        "test": 2,
    }
    train = np.array(NUMBERS)[data.train.indices]
    expected = (np.array([100, np.median(train)]) - train.mean()) / train.std()
    assert feature(data, "size", "test") == pytest.approx(expected, abs=1e-5)
    assert data.test.targets.tolist() == [1, 0]


def test_rows_without_a_target_are_left_out_of_a_test_file_too(tmp_path: Path, read: Read) -> None:
    other = tmp_path / "other.csv"
    other.write_text("size,kind\n1,yes\n\n2,\n3,no\n\n")
    text = lines("size,kind", NUMBERS, KINDS)
    data = read(text, test_path=str(other), missing_target="drop")
    assert data.test.targets.tolist() == [1, 0]
    assert data.test.indices.tolist() == [0, 3]
    assert data.table is not None
    assert data.table.rows("test", data.test.indices).rows() == [("1",), ("3",)]
    assert data.notes[-2:] == (
        "left out 1 row of other.csv whose target is missing",
        "left out 2 empty lines of other.csv",
    )
    other.write_text("size,kind\n1,yes\n\n")
    assert read(text, test_path=str(other)).test.targets.tolist() == [1]


def test_numbers_of_a_test_file_are_left_out_likewise(tmp_path: Path, read: Read) -> None:
    other = tmp_path / "other.csv"
    other.write_text("size,price\n1,10.5\n\n")
    data = read(lines("size,price", NUMBERS, [1.5 * at for at in NUMBERS]), test_path=str(other))
    assert data.test.targets.tolist() == [[10.5]]


def test_rows_are_found_again_as_they_stand_in_the_file(read: Read) -> None:
    data = read(lines("size,colour,kind", NUMBERS, ["?", " red"] * 20, KINDS))
    assert data.table is not None
    assert data.table.columns == ("size", "colour")
    assert data.table.rows("test", np.array([33, 0])).rows() == [("16.5", " red"), ("0.0", "?")]


def test_features_that_do_not_fit_into_memory_are_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.data.tables.load.SPARE", 0.0)
    with pytest.raises(DataError, match=r"40 rows of 1 features take 0\.0 GiB of memory"):
        read(lines("size,kind", NUMBERS, KINDS))


def test_folds_hold_out_every_row_once_also_beside_a_test_file(tmp_path: Path, read: Read) -> None:
    text = lines("size,kind", NUMBERS, KINDS)
    (tmp_path / "other.csv").write_text(text)
    held = [
        read(text, test_path=str(tmp_path / "other.csv"), folds=4, fold=fold).validation
        for fold in (1, 2, 3, 4)
    ]
    assert sorted(np.concatenate([split.indices for split in held])) == list(range(40))
