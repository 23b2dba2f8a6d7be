"""Files that are no table, or a table with mistakes in it: each is refused in a sentence that says what and where."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.config import schema as configuration
from core.data.registry import load
from core.errors import DataError
from tests.support.narrow import instance

GOOD = "size,colour,kind\n" + "".join(
    f"{at},{'red' if at % 2 else 'blue'},{'ab'[at % 2]}\n" for at in range(40)
)


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Return the error about a file with some content, or about no file."""

    def refusal(content: bytes | str | None, name: str = "my.csv", **fields: Any) -> str:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(DataError) as caught:
            load(configuration.from_dict({"data": {"name": "csv", "path": str(path), **fields}}).data)
        return str(caught.value).replace(f"{tmp_path}{os.sep}", "")

    return refusal


ROWS = GOOD.splitlines(keepends=True)


def changed(line: int, text: str) -> str:
    """The good file with another line in one place; lines count from 1."""
    return "".join([*ROWS[: line - 1], text + "\n", *ROWS[line:]])


MISTAKES = {
    "short row": (changed(7, "5,red"), "data.path: my.csv, line 7: 2 fields, and there are 3 columns"),
    "long row": (changed(7, "5,red,a,b"), "data.path: my.csv, line 7: 4 fields, and there are 3 columns"),
    "short last row": (changed(41, "5"), "line 41: 1 field, and there are 3 columns"),
    "short after quotes": (
        changed(7, '5,"red\nblack",a') + "5,6\n",
        "line 43: 2 fields, and there are 3 columns",
    ),
    "empty": ("", "data.path: my.csv is empty"),
    "empty lines": ("\n\n\n", "data.path: my.csv is empty"),
    "no rows": ("size,kind\n", "data.path: my.csv has no rows"),
    "binary": (b"\x7fELF\x00\x01", "my.csv is not a text file: it has a zero byte at 4"),
    "Excel": (b"PK\x03\x04 sheet", "my.csv is an Excel or zip file, not a text file"),
    "open quote": (
        changed(9, '7,"never closed,b'),
        "line 9: a quotation mark inside a field, or without its",
    ),
    "targets missing": (
        GOOD.replace(",a\n", ",\n"),
        "data.target: kind is missing in 20 of 40 rows. data.missing_target=drop leaves them out",
    ),
    "class of one": (
        changed(9, "7,red,c").replace(",b\n", ",a\n"),
        "data.target: class c of kind has a single row (line 9), which cannot be",
    ),
    "constant target": (
        GOOD.replace(",b\n", ",a\n"),
        "data.target: kind is a in all 40 rows of my.csv: there is nothing to learn",
    ),
    "nothing to learn from": (
        "a,kind\n" + ",x\n,y\n" * 9,
        "data.path: my.csv has no column to learn from. left out a: no training row",
    ),
    "one column": ("kind\n" + "a\nb\n" * 9, "data.path: my.csv has a single column, 'kind'"),
    "too many classes": (
        "size,kind\n" + "".join(f"1,k{at}\n" for at in range(30)),
        "kind has 30 different values in 30 rows, such as 'k0': too many for classes",
    ),
}


@pytest.mark.parametrize(("content", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_file_with_a_mistake_is_refused_with_its_place(
    content: bytes | str, says: str, refusal: Callable[..., str]
) -> None:
    names = content.partition("\n")[0] if isinstance(content, str) else ""
    assert says in refusal(content, target="kind" if "kind" in names else "")


def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "flowers.csv").write_text(GOOD)
    assert refusal(None, "folder.csv").startswith("data.path: folder.csv is a folder")
    assert refusal(None, "flower.csv") == "data.path: flower.csv is not there. Did you mean flowers.csv?"
    assert "is not there" in refusal(None, "nowhere/my.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "pipe.csv is not a file" in refusal(None, "pipe.csv")
    with pytest.raises(DataError, match=r"data\.path: no file is given"):
        load(configuration.from_dict({"data": "csv"}).data)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"target": "kinds"},
            "data.target: my.csv has no column 'kinds'. Did you mean 'kind'? Its columns: size, ",
        ),
        ({"drop": ["colours"]}, "has no column 'colours'. Did you mean 'colour'?"),
        ({"categories": ["price"]}, "data.categories: "),
        ({"drop": ["kind"], "target": "kind"}, "data.drop: kind is the target"),
        ({"task": "regression"}, "data.task: kind holds texts, such as 'a', which are no numbers"),
        (
            {"missing_target": "error", "missing": ["b"], "target": "kind"},
            "data.target: my.csv, line 3: kind is missing (and in 19 rows",
        ),
        ({"test_path": "gone.csv"}, "data.test_path: gone.csv is not there"),
        ({"validation": 0.99}, "data.validation: 0.99 of 32 samples cannot be held out"),
        ({"encoding": "utf-16"}, "is not utf-16 text"),
        ({"separator": "semicolon"}, "has a single column, 'size,colour,kind'"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(
    fields: dict[str, Any], says: str, refusal: Callable[..., str]
) -> None:
    assert says in refusal(GOOD, **fields)


def test_a_test_file_must_have_the_same_columns_and_classes(
    tmp_path: Path, refusal: Callable[..., str]
) -> None:
    other = tmp_path / "test.csv"

    def said(text: str) -> str:
        other.write_text(text)
        return refusal(GOOD, test_path=str(other))

    assert said("size,kind\n1,a\n") == ("data.test_path: test.csv lacks colour. Its columns: size, kind")
    assert "test.csv, line 3: class 'z' of kind is not in the training file" in said(
        "size,colour,kind\n1,red,a\n1,red,z\n"
    )
    assert said("size,colour,kind\n1,red,a\n1,red,\n").startswith(
        "data.test_path: kind is missing in 1 of 2 rows"
    )
    assert "data.test_path: kind is missing in all rows" in said("size,colour,kind\n\n")
    assert "test.csv, line 4: class 'z' of kind is" in said("size,colour,kind\n1,red,a\n\n1,red,z\n")
    assert "test.csv, line 2, column size: got 'x', where the model takes numbers" in said(
        "size,colour,kind\nx,red,a\n"
    )


def test_a_single_wide_line_is_refused_before_its_columns_are_looked_at(
    refusal: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("core.data.tables.values.rows.guess_readings")
    names = ",".join(f"c{at}" for at in range(2000))
    assert "my.csv has no rows" in refusal(f"{names}\n")


def test_very_wide_files_are_refused(refusal: Callable[..., str]) -> None:
    names = ",".join(f"c{at}" for at in range(100_000))
    assert "my.csv has 100,000 columns, takes at most 50,000" in refusal(f"{names}\n")


def test_damaged_parquet_is_refused(tmp_path: Path, refusal: Callable[..., str]) -> None:
    assert "my.parquet is no Parquet file" in refusal("size,kind\n1,2\n", "my.parquet")
    pl.DataFrame({"size": range(500), "kind": ["a", "b"] * 250}).write_parquet(tmp_path / "good.parquet")
    whole = (tmp_path / "good.parquet").read_bytes()
    assert "my.parquet" in refusal(whole[:4] + bytes(300) + whole[304:], "my.parquet")
    pl.DataFrame({"sizes": [[1, 2]] * 20, "kind": ["a", "b"] * 10}).write_parquet(tmp_path / "lists.parquet")
    said = refusal(None, "lists.parquet")
    assert "has no column to learn from. left out sizes: it holds List(Int64)" in said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text('a1.,;"\n\r\t ?é', max_size=200).map(str.encode)))
@example(b'"')
@example(b'a,b\n"')
@example(b"\xff\xfe")
@example(b"\r\r\n")
@example(b"a\n1\n2\n\n")
@example(b"\x01\n\x01;")
def test_any_file_is_a_table_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    try:
        data = load(configuration.from_dict({"data": {"name": "csv", "path": str(path)}}).data)
    except DataError:
        return
    assert instance(torch.Tensor, data.train.inputs).isfinite().all()
