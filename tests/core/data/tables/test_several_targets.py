"""Several targets in a table: columns of labels, and labels in one column of texts."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.config import schema
from core.data.dataset import Dataset
from core.data.label_cells import find_separator, label_columns
from core.data.registry import load
from core.data.tables.targets.examine import counts_of
from core.data.tables.targets.several import examine_labels
from core.errors import DataError

N = 60


def loaded(file: Path, **fields: Any) -> Dataset:
    config = schema.from_dict({"data": {"name": "csv", "path": str(file), **fields}})
    return load(config.data)


def table(file: Path, **columns: list[Any]) -> Path:
    known = {"size": [place % 7 for place in range(N)], **columns}
    rows = zip(*known.values(), strict=True)
    file.write_text("\n".join([",".join(known), *(",".join(map(str, row)) for row in rows)]))
    return file


def every(number: int) -> list[int]:
    return [int(place % number == 0) for place in range(N)]


def test_columns_of_zeros_and_ones_are_labels(tmp_path: Path) -> None:
    data = loaded(table(tmp_path / "t.csv", a=every(2), b=every(5), c=every(3)), target=["a", "c"])
    assert (data.task, data.class_names, data.outputs) == ("multilabel", ("a", "c"), 2)
    assert set(data.feature_names) == {"size", "b"}
    counts = {name: split.targets.sum(dim=0).tolist() for name, split in data.splits.items()}
    assert np.sum([*counts.values()], axis=0).tolist() == [30, 20]
    assert counts["test"] == [6, 4]
    assert data.target_facts.class_counts == counts["train"]
    assert any("any of which may hold: a, c; data.task=regression" in note for note in data.notes)
    assert data.table is not None
    assert (data.table.target, data.table.more_targets) == ("a", ("c",))


def test_yes_and_no_are_labels_too(tmp_path: Path) -> None:
    yes = ["Yes" if held else "no" for held in every(2)]
    data = loaded(table(tmp_path / "t.csv", a=yes, b=every(3)), target=["a", "b"])
    assert sum(int(split.targets[:, 0].sum()) for split in data.splits.values()) == 30


def test_rows_that_lack_a_label_are_left_out(tmp_path: Path) -> None:
    lacking = ["", *every(2)[1:]]
    data = loaded(table(tmp_path / "t.csv", a=lacking, b=every(3)), target=["a", "b"])
    assert sum(map(len, data.splits.values())) == N - 1
    assert any("left out 1 row whose target is missing" in note for note in data.notes)


def test_labels_in_one_column(tmp_path: Path) -> None:
    cells = [("red", "red|blue", "", "blue|red|green")[place % 4] for place in range(N)]
    data = loaded(table(tmp_path / "t.csv", tags=cells), target="tags")
    assert (data.task, data.class_names) == ("multilabel", ("blue", "green", "red"))
    assert sum(map(len, data.splits.values())) == N
    assert any("15 rows without a text in tags: none of the labels" in note for note in data.notes)
    fewer = loaded(table(tmp_path / "t.csv", tags=cells), target="tags", missing_target="drop")
    assert sum(map(len, fewer.splits.values())) == 45
    classes = loaded(table(tmp_path / "t.csv", tags=cells), target="tags", task="classification")
    assert classes.class_names == ("blue|red|green", "red", "red|blue")


def test_a_test_file_has_the_same_labels(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", tags=[("red", "red|blue")[place % 2] for place in range(N)])
    test = table(tmp_path / "test.csv", tags=[("blue", "")[place % 2] for place in range(N)])
    data = loaded(file, target="tags", test_path=str(test))
    assert data.test.targets.sum(dim=0).tolist() == [30, 0]
    table(tmp_path / "test.csv", tags=["blue|pink"] * N)
    with pytest.raises(DataError, match=r"the label 'pink' of test\.csv is not in the training file"):
        loaded(file, target="tags", test_path=str(test))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": ["a", "text"]}, "text holds texts, such as 'word'"),
        ({"target": ["a", "nothing"]}, "has no column 'nothing'"),
        ({"target": ["a", "a"]}, "a is named twice"),
        ({"target": ["a", "size"], "task": "multilabel"}, "size is 2 in some rows, and labels are 0 or 1"),
        ({"target": "a", "task": "multilabel"}, "a is one column without separators"),
        ({"target": ["a", "b"], "drop": ["b"]}, "b is the target"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    file = table(tmp_path / "t.csv", a=every(2), b=every(3), text=["word", "other"] * (N // 2))
    with pytest.raises(DataError, match=message):
        loaded(file, **fields)


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["red|green", "red", "green"] * 5, "|"),
        (["red; green", "red", "green"] * 5, ";"),
        (["red,green", "red", "green"] * 5, ","),
        (["Smith, John", "Smith, Ann", "Miller, Ann"] * 5, None),
        (["red", "green"] * 5, None),
        ([f"a{place}|b{place}" for place in range(20)], None),
        (["Buy milk, then write a letter to the town, and go home early", "Rest, eat, sleep"] * 5, None),
    ],
)
def test_several_labels_are_found_only_where_it_is_clear(cells: list[str], separator: str | None) -> None:
    assert find_separator(cells, "colour") == separator
    assert find_separator(counts_of(pl.Series("count", cells)), "colour") == separator


def test_labels_of_cells_are_numbered_in_order() -> None:
    columns, names = label_columns(["10|2", "", "2|2|33"], "|")
    assert names == ("2", "10", "33")
    assert columns.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_labels_that_differ_in_spelling_alone_are_reported() -> None:
    frame = pl.DataFrame({"colour": ["red|green", "Red", "green", "red|blue"] * 6})
    found = examine_labels(frame, "colour", "auto", "auto")
    assert found is not None
    assert "labels differ in spelling alone: Red, red; each is a label of its own" in found[0].notes
