"""The confusion matrices of two runs beside each other, and how they differ."""

import numpy as np
import pytest
from textual.app import App

from core.evaluation import Predictions, Report
from core.tasks.evaluation import evaluate
from tests.support.waiting import until
from tui.screens.compare.confusion_change import ConfusionChange
from tui.screens.compare.confusions import ConfusionsDialog, why_not
from tui.widgets.confusion import ConfusionGrid

BEFORE = np.array([[8, 2], [4, 6]])
AFTER = np.array([[9, 1], [5, 5]])
NAMES = ("cat", "dog")


@pytest.fixture
def change() -> ConfusionChange:
    return ConfusionChange.between(BEFORE, AFTER, NAMES)


def test_a_change_is_the_second_minus_the_first(change: ConfusionChange) -> None:
    assert [[change.text(row, column, "count") for column in (0, 1)] for row in (0, 1)] == [
        ["+1", "-1"],
        ["+1", "-1"],
    ]
    assert change.text(0, 1, "row") == "-10.0"
    assert change.text(0, 0, "column") == "-2.4"  # 9 of 14 after 8 of 12
    assert change.caption(1, 0) == "true dog → predicted cat: 4, then 5"
    assert change.caption(1, 0, "row") == "true dog → predicted cat: 40.0, then 50.0 %"


def test_fewer_mistakes_and_more_hits_are_better(change: ConfusionChange) -> None:
    assert [change.is_right(0, 0), change.is_right(0, 1)] == [True, True]
    assert [change.is_right(1, 0), change.is_right(1, 1)] == [False, False]
    assert change.depth(0, 0) == 1


def test_the_largest_changes_come_first() -> None:
    change = ConfusionChange.between(BEFORE, np.array([[8, 2], [0, 10]]), NAMES)
    assert list(change.mistakes) == [2, 3]


def test_equal_matrices_differ_nowhere() -> None:
    change = ConfusionChange.between(BEFORE, BEFORE, NAMES)
    assert not len(change.mistakes)
    assert change.text(0, 0, "row") == change.text(0, 0, "count") == "·"
    assert change.depth(0, 0) == 0


def report_of(predicted: list[int], names: list[str], task: str = "binary") -> Report:
    scores = np.eye(2, dtype=np.float32)[predicted]
    predictions = Predictions(scores, np.array([0, 0, 1, 1]), np.arange(4), probabilities=True)
    return evaluate(predictions, task=task, class_names=names, split="validation", intervals=False)


def test_what_cannot_be_compared_has_a_reason() -> None:
    report = report_of([0, 1, 1, 1], list(NAMES))
    assert why_not(report, report) == ""
    assert "not been evaluated" in why_not(report, None)
    assert "different classes" in why_not(report, report_of([0, 1, 1, 1], ["cat", "fox"]))


async def test_both_matrices_share_a_cursor_and_d_shows_the_difference() -> None:
    reports = (report_of([0, 1, 1, 1], list(NAMES)), report_of([0, 0, 0, 1], list(NAMES)))
    app = App[None]()
    async with app.run_test(size=(140, 30)) as pilot:
        await app.push_screen(ConfusionsDialog(("[b]old", "new"), reports))
        first, second, change = (
            app.screen.query_one(f"#{part}", ConfusionGrid) for part in ("first", "second", "change")
        )
        await until(pilot, lambda: first.has_focus)
        await pilot.press("m", "n")
        await until(pilot, lambda: second.cursor == first.cursor == (0, 1) and second.normalise == "row")
        assert app.screen.query_one("#first-panel").border_title == r"\[b]old"
        await pilot.press("d")
        await until(pilot, lambda: change.has_focus)
        assert change.caption == "true cat → predicted dog: 50.0, then 0 %"
        assert not app.screen.query_one("#second-panel").display
        await pilot.resize_terminal(80, 24)
        await pilot.press("d")
        await until(pilot, lambda: first.has_focus)
        assert not app.screen.query_one("#second-panel").display
