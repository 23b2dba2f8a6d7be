"""Charts of a study that show several numbers at once."""

from pathlib import Path

import numpy as np
import pytest

from core.config.schema import TrainConfig
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.records import TrialRecord, pareto_front
from tui.charts.plot import draw
from tui.charts.study_views import (
    axes_of,
    contour_chart,
    front_chart,
    parallel_chart,
    selected_trials,
    spread_chart,
)
from tui.runtime.study_follower import Standing

LR, HIDDEN = "optimizer.lr", "model.hidden"


@pytest.fixture(scope="module")
def standing() -> Standing:
    """Nine trials: more hidden units are better and cost more, and so does the middle of the rates."""
    ranges = {LR: {"low": 1e-3, "high": 1.0, "log": True}, HIDDEN: [[8], [16], [32]]}
    plan = make_plan(TrainConfig(), ranges, metric="accuracy", second="parameters")
    records = tuple(
        TrialRecord(
            number=3 * at + way,
            state="completed",
            params={LR: lr, HIDDEN: [hidden]},
            value=0.8 + 0.05 * at - 0.02 * abs(way - 1),
            costs={"parameters": 100.0 * hidden},
        )
        for at, hidden in enumerate((8, 16, 32))
        for way, lr in enumerate((0.001, 0.03, 1.0))
    )
    front = tuple(record.number for record in pareto_front(plan, records))
    return Standing(StudyFolder(Path("study")), plan, records, best=7, front=front)


def test_the_front_rises_with_its_cost(standing: Standing) -> None:
    assert standing.front == (7, 4, 1)
    chart = front_chart(standing, standing.front)
    front = chart.series[1]
    assert front.x.tolist() == [800, 1600, 3200]
    assert front.y.tolist() == pytest.approx([0.8, 0.85, 0.9])
    assert [mark.text for mark in chart.marks] == ["1", "4", "7"]


def test_trials_cross_all_axes_and_are_selected_by_ranges(standing: Standing) -> None:
    assert [name for name, _, _ in axes_of(standing)] == [LR, HIDDEN, "parameters", "accuracy"]
    chart = parallel_chart(standing, None)
    best = next(series for series in chart.series if series.label == "best third")
    assert len(best.x) == 4
    inside = selected_trials(standing, {LR: {"low": 0.01, "high": 0.1}, "accuracy": {"low": 0.84, "high": 1}})
    assert inside == {4, 7}
    assert selected_trials(standing, {HIDDEN: {"choices": [[8]]}}) == {0, 1, 2}
    dimmed = parallel_chart(standing, inside)
    assert sum(series.color is None for series in dimmed.series) == 7


def test_the_best_quarter_of_a_contour_is_where_the_best_trials_are(standing: Standing) -> None:
    chart = contour_chart(standing, LR, HIDDEN)
    best = next(series for series in chart.series if series.label == "best quarter")
    assert float(np.median(best.y)) > 2.5, "the third choice stands at 3"
    assert chart.log_x
    assert len(draw(chart, 60, 16)) == 16


def test_studies_stand_side_by_side(standing: Standing) -> None:
    chart = spread_chart([standing, standing])
    assert [series.label for series in chart.series] == ["trial", "median", "", ""]
    assert [mark.x for mark in chart.marks] == [1, 2]
