"""Columns of the table of runs."""

import pytest

from core.runs.comparison.standings import Score, Standings
from tui.screens.compare.tables import metric_columns

ALONE, BOUNDED = Score(0.9), Score(0.8, (0.7, 0.85))


@pytest.mark.parametrize(
    ("scores", "leaders", "titles"),
    [
        ((ALONE, ALONE), {0}, ["accuracy", "not tested"]),
        ((ALONE, BOUNDED), {0}, ["accuracy", "95 %"]),
        ((ALONE, None), {0}, ["accuracy"]),
        ((ALONE, ALONE), set(), ["accuracy"]),
    ],
    ids=["nothing known", "an interval", "one run", "not comparable"],
)
def test_a_metric_that_nothing_tests_says_so(
    scores: tuple[Score | None, ...], leaders: set[int], titles: list[str]
) -> None:
    row = Standings("accuracy", scores, frozenset(leaders), frozenset(), (None, None))
    assert [column.title for column in metric_columns(row)] == titles


def test_an_interval_has_the_room_that_it_needs() -> None:
    seeds = Score(0.9, deviation=0.0031, runs=2)
    row = Standings("accuracy", (seeds, seeds), frozenset({0}), frozenset(), (None, None))
    assert metric_columns(row)[1].width == len("not tested")
    assert metric_columns(row, ["0.092 … 0.385"])[1].width == len("0.092 … 0.385")
    below = Standings("r2", (Score(-0.2, (-0.312, -0.101)), None), frozenset(), frozenset(), (None, None))
    assert metric_columns(below)[1].width == len("-0.312 … -0.101")
