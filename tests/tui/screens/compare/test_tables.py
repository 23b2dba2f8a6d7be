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
