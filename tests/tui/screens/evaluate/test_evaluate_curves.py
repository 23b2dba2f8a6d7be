"""ROC, PR, thresholds and calibration on the screen."""

import threading

import numpy as np
import pytest
from textual.widgets import Input, Static

from core.evaluation import (
    OperatingPoint,
    best_f1_threshold,
    one_vs_rest,
    threshold_for_precision,
    threshold_table,
)
from core.evaluation.curve_sets import curves_of
from core.runs.folder import Run
from tests.support.narrow import instance, some
from tests.support.screen import plain
from tests.tui.conftest import CopyOf, MadeUp, Visit, Visits
from tui.charts.plot import Plot
from tui.screens.evaluate.curve_list import CurveList
from tui.screens.evaluate.curves_tab import CurvesTab
from tui.screens.evaluate.decisions import decisions
from tui.screens.evaluate.threshold import ThresholdTab
from tui.screens.evaluate.two_classes.threshold_dialog import ThresholdDialog
from tui.widgets.panel import Panel
from tui.widgets.table import Table

pytestmark = pytest.mark.slow

NARROW, WIDE = (80, 24), (200, 60)


def drawn(at: Visit) -> list[str]:
    return [series.label for series in at.one(Plot).chart.series]


@pytest.mark.parametrize("tab", ["roc", "pr"])
async def test_classes_are_turned_on_and_off(visit: Visits, copy_of: CopyOf, tab: str) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), tab)
        lines = at.one(CurveList)
        assert len(lines.shown) == 8
        assert {10, 11} <= set(lines.shown), "micro and macro"
        chart = at.one(Plot).chart
        assert len(chart.series) == 11, "and a line for a guess, and the ends of a band"
        chosen, label = lines.cursor, str(lines.cursor)
        await at.press("space")
        assert label in drawn(at), "the line with the cursor is drawn in any case"
        await at.press("up")
        assert chosen not in lines.shown
        assert label not in drawn(at)
        await at.press("down", "space", "up")
        assert label in drawn(at)
        report = at.subject.report
        key = "roc_auc" if tab == "roc" else "average_precision"
        assert f"{report.per_class[chosen][key]:.4f}" in at.text(lines)
        await at.press("end")
        assert f"{report.metrics[f'{key}_macro']:.4f}" in at.text(lines)


async def test_without_colour_lines_differ_in_what_they_are_drawn_with(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with visit() as at:
        await at.open(copy_of("digits"), "roc")
        shown = [line for line in at.text(at.one(CurveList)).splitlines() if "✓" in line]
        signs = [line[line.index("✓") + 2] for line in shown]
        assert len(set(signs)) >= 5


async def test_the_threshold_cursor_reads_the_point_out(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("cancer"), "roc")
        lines = at.one(CurveList)
        assert lines.cursor == 1, "the positive class"
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        await at.press("left", "left", "right", "left")
        tab = instance(CurvesTab, at.screen.active_tab)
        point = tab.curves[1].point("roc", tab.place)
        expected = threshold_table(ranked, [some(point.threshold)])[0]
        assert (point.tp, point.fp, point.precision, point.recall, point.f1, point.fpr) == (
            *(expected.tp, expected.fp, expected.precision, expected.recall, expected.f1, expected.fpr),
        )
        text = plain(at.one(".readout", Static))
        assert text.startswith("● malignant")
        assert f"precision {expected.precision:.3f}" in text
        assert f"{expected.tp} found, {expected.fn} missed, {expected.fp} false" in text
        (mark,) = at.one(Plot).chart.marks
        assert (mark.x, mark.y) == (expected.fpr, expected.recall)
        assert at.one("#roc-points", Table).cursor == tab.place


async def test_the_cursor_begins_at_the_best_f1_and_follows_the_table(visit: Visits, copy_of: CopyOf) -> None:
    async with visit(WIDE) as at:
        await at.open(copy_of("cancer"), "pr")
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        tab = instance(CurvesTab, at.screen.active_tab)
        best = tab.curves[1].point("pr", tab.place)
        assert best.f1 == pytest.approx(instance(OperatingPoint, best_f1_threshold(ranked)).f1, abs=0.01)
        at.one("#pr-points").focus()
        await at.press("home")
        (mark,) = at.one(Plot).chart.marks
        assert (mark.x, mark.y) == (0.0, 1.0)


async def test_a_class_without_samples_has_no_line_and_says_why(visit: Visits, made_up: MadeUp) -> None:
    async with visit() as at:
        await at.open(made_up(["a", "b", "c"], samples=2), "roc")
        await at.press("end", "up", "up")
        assert "c  no curve: no sample is of this class" in plain(at.one(".readout", Static))
        await at.press("left", "t", "end", "up", "up")
        assert at.screen.tabs.active == "tab-pr"
        assert "c  no curve: no sample is of this class" in plain(at.one(".readout", Static))


async def test_a_wanted_precision_gives_a_threshold_and_its_cost(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("cancer"), "threshold")
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        best = instance(OperatingPoint, best_f1_threshold(ranked))
        assert f"{best.threshold:.4f}" in at.text(at.one("#decisions"))
        await at.press("p", "0", ".", "9", "9")
        point = instance(OperatingPoint, threshold_for_precision(ranked, 0.99))
        line = next(line for line in at.text(at.one("#decisions")).splitlines() if "precision ≥ 0.99" in line)
        assert f"{point.threshold:.4f}" in line
        assert f"misses {point.fn} of {ranked.positives} positives; {point.fp} of" in line
        assert [mark.symbol for mark in at.one(Plot).chart.marks] == ["○", "★", "●"]
        assert [series.label for series in at.one(Plot).chart.series] == ["precision", "recall", "F1", "FPR"]
        await at.press("enter")
        assert at.app.focused is at.one("#decisions")


async def test_a_threshold_is_chosen_on_validation_and_taken_back(visit: Visits, copy_of: CopyOf) -> None:
    async with visit(NARROW) as at:
        run = copy_of("cancer")
        await at.open(run, "threshold", "test")
        await at.press("c")
        assert not isinstance(at.screen, ThresholdDialog), "never on test"
        await at.open(run, "threshold", "validation")
        await at.press("c")
        dialog = instance(ThresholdDialog, at.app.screen)
        dialog.query_one("#rule-recall", Input).value = "1"
        await at.settle()
        assert "1.0000" in at.text(dialog.query_one("#rules"))
        dialog.query_one("#rule-precision", Input).value = "2"
        await at.press("down")
        assert "outside 0 to 1" in plain(dialog.query_one("#rule-problem", Static))
        await at.press("enter")
        assert at.app.screen is dialog, "there is nothing to choose"
        await at.press("down", "enter")
        assert at.subject.report.chosen_by == "recall of 1 or more"
        assert at.subject.report.metrics["recall"] == 1
        assert "■ from validation" in at.text(at.one("#decisions"))
        await at.press("c", "end", "enter")
        assert at.subject.report.threshold is None


async def test_a_wanted_share_that_is_none_is_refused_where_it_stands(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "threshold")
        for text, problem in (
            ("2", "2 is outside 0 to 1"),
            ("x", "'x' is not a number"),
            ("nan", "nan is outside"),
        ):
            at.one("#wanted-recall", Input).value = text
            await at.settle()
            assert f"✗ recall: {problem}" in at.seen()
            assert "recall ≥" not in at.text(at.one("#decisions"))


async def test_a_narrow_screen_cuts_neither_what_is_wrong_nor_the_readout_nor_a_column(
    visit: Visits, copy_of: CopyOf
) -> None:
    async with visit(NARROW) as at:
        run = copy_of("digits")
        await at.open(run, "threshold")
        await at.press("p", "2")
        assert "✗ precision: 2 is outside 0 to 1" in at.seen()
        await at.open(run, "roc")
        readout = at.text(at.one(".readout"))
        assert "FPR" in readout
        assert "…" not in readout
        await at.open(run, "calibration")
        assert at.one("#bins", Table).max_scroll_x == 0
        assert "accuracy" in at.text(at.one("#bins")).splitlines()[0]
        await at.pilot.resize_terminal(*WIDE)
        await at.settle()
        assert "█" in at.text(at.one("#bins"))


async def test_calibration_shows_its_error_or_says_why_there_is_none(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"), "calibration")
        report = at.subject.report
        assert f"ECE {report.metrics['ece']:.4f}" in str(at.one(".plot-panel", Panel).border_subtitle)
        assert (
            sum(int(line.split()[-3]) for line in at.text(at.one("#bins")).splitlines()[1:] if line.strip())
            == at.subject.report.n
        )
        await at.open(copy_of("margins"), "calibration")
        assert "No calibration curve: the scores are margins, not probabilities" in at.seen()


def test_thresholds_are_chosen_on_validation_and_shown_on_test() -> None:
    random = np.random.default_rng(0)
    held_out, shown = (
        one_vs_rest(random.random(60) + 0.3 * positive, positive) for positive in random.random((2, 60)) < 0.5
    )
    found = decisions(shown, probabilities=True, precision=0.8, recall=0.9, choosing=held_out)
    on_validation = decisions(held_out, probabilities=True, precision=0.8, recall=0.9)
    by_test_itself = decisions(shown, probabilities=True, precision=0.8, recall=0.9)
    for one, chosen, own in list(zip(found, on_validation, by_test_itself, strict=True))[1:]:
        point = instance(OperatingPoint, one.point)
        assert point.threshold == instance(OperatingPoint, chosen.point).threshold
        assert point.threshold != instance(OperatingPoint, own.point).threshold
        assert point.tp + point.fn == shown.positives


async def sort_another(at: Visit, run: Run, tab: str, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Open a tab, then another split; the event lets its scores be sorted."""
    go_on = threading.Event()
    await at.open(run, tab, "test")
    monkeypatch.setattr(
        "tui.screens.evaluate.tab.curves_of", lambda *data: go_on.wait(600) and curves_of(*data)
    )
    at.screen.open_run(run, "validation")
    shown = at.screen.active_tab
    assert isinstance(shown, CurvesTab | ThresholdTab)
    while shown.curves:
        await at.pilot.pause()
    return go_on


async def test_a_class_asked_for_while_another_split_is_sorted_waits_for_it(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visit() as at:
        go_on = await sort_another(at, copy_of("digits"), "threshold", monkeypatch)
        classes = at.one("#threshold-classes", Table)
        await at.pilot.press("down")
        classes.post_message(Table.Highlighted(classes, 1))  # as one that was on its way
        await at.pilot.pause()
        assert [worker for worker in at.app.workers if worker.group == "class" and worker.is_running] == []
        assert classes.row_count == 0
        go_on.set()
        await at.settle()
        assert classes.row_count == 10
        await at.press("down")
        assert str(at.one(".plot-panel", Panel).border_subtitle) == "1"


async def test_a_click_on_a_point_while_another_split_is_sorted_does_nothing(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visit() as at:
        go_on = await sort_another(at, copy_of("digits"), "roc", monkeypatch)
        points = at.one("#roc-points", Table)
        await at.pilot.click(points, offset=(3, 3))
        points.post_message(Table.Highlighted(points, 2))
        await at.pilot.pause()
        assert points.row_count == 0
        go_on.set()
        await at.settle()
        assert points.row_count > 2
