"""Evaluating a run: which run, which split, its numbers; and whatever comes from data fits every tab."""

import shutil
import unicodedata
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from textual.events import DescendantFocus

from core.data.dataset import no_progress
from core.evaluation import error_quantiles, residuals
from core.inference.stored import was_evaluated
from core.runs.opening import is_test_open
from core.runs.summary import summarise
from core.session.failures import failures_of
from tests.support.narrow import instance, some
from tests.tui.conftest import CopyOf, MadeUp, TrainHere, Visits
from tui.screens.dialogs import Ask, ErrorDialog
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.summary import SummaryTab
from tui.screens.explain_dialog import ExplainDialog
from tui.widgets.table import Table

pytestmark = pytest.mark.slow

NARROW, NORMAL, WIDE = (80, 24), (120, 40), (200, 60)
HOSTILE = [
    "猫",
    "[red]x[/red]",
    "\x1b[31mred",
    "",
    "a\nb",
    "very long class name " * 4,
    "\u202ertl",
    "e\u0301",
]


# ---- which run, which split


async def test_what_takes_long_is_told_with_the_share_that_is_done(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"))
        at.screen.show_progress("decoding images", 4_000, 10_000)
        assert at.plain("#evaluate-notice").endswith(": decoding images 40 % ...")
        at.screen.show_progress("predicting", 0, 10_000)
        assert at.plain("#evaluate-notice").endswith(": predicting 10,000 samples ...")


async def test_a_finished_run_opens_on_validation_with_its_headline(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"))
        report = at.subject.report
        assert at.screen.split == report.split == "validation"
        assert "validation  144 samples  best, epoch 3" in at.plain("#evaluated-run")
        assert f"accuracy {100 * some(report.metrics['accuracy']):.1f} %" in at.plain("#evaluated-headline")
        assert "majority class 10.4 %" in at.plain("#evaluated-headline")


async def test_without_a_run_the_one_evaluated_last_is_shown(visit: Visits, copy_of: CopyOf) -> None:
    run = copy_of("digits")
    async with visit() as at:
        await at.go()
        assert at.screen.run == run
        assert at.screen.has_class("-evaluated")


async def test_without_any_run_the_screen_says_how_to_get_one(visit: Visits) -> None:
    async with visit() as at:
        await at.go()
        assert "No run has been evaluated yet" in at.seen()
        assert "Press 2 to train a run" in at.seen()
        await at.press("v", "t")
        assert not at.screen.has_class("-evaluated")


@pytest.mark.parametrize("at_the_end", [True, False])
async def test_test_is_asked_for_once_and_kept(visit: Visits, copy_of: CopyOf, at_the_end: bool) -> None:
    run = copy_of("digits")
    if not at_the_end:
        shutil.rmtree(run.evaluation_folder("test"))
    async with visit() as at:
        await at.open(run)
        assert at.screen.split == "validation"
        await at.press("v")
        assert isinstance(at.app.screen, Ask)
        assert "Test data is meant for the end" in at.seen()
        await at.press("escape")
        assert at.screen.split == "validation"
        assert not is_test_open(run)
        assert was_evaluated(run, "test") == at_the_end
        await at.press("v")
        await at.pilot.click("#answer-test")
        await at.settle()
        assert at.screen.split == at.subject.report.split == "test"
        assert was_evaluated(run, "test")
        assert is_test_open(run)
        await at.press("v")
        assert at.screen.split == "validation"
        await at.press("v")
        assert at.screen.split == "test"
        assert summarise(run).shown_evaluation["test"] == at.subject.report.metrics


async def test_without_validation_it_says_so_and_asks_before_it_opens_test(
    visit: Visits, train_here: TrainHere
) -> None:
    run = train_here({"data": {"name": "iris", "validation": 0}, "training": {"baselines": "none"}})
    async with visit() as at:
        await at.open(run)
        assert f"{run.id} has no validation samples" in at.seen()
        assert "v  opens the other split" in at.seen()
        await at.press("v")
        await at.pilot.click("#answer-test")
        await at.settle()
        assert at.screen.split == at.subject.report.split == "test"


async def test_what_cannot_be_evaluated_says_why_in_its_place(visit: Visits, copy_of: CopyOf) -> None:
    run = copy_of("digits")
    shutil.rmtree(run.path / "evaluation")
    run.checkpoint_file("best").rename(run.checkpoint_file("kept"))
    async with visit() as at:
        await at.open(run)
        assert "✗" in at.seen()
        assert f"{run.id} has no checkpoint best.pt" in at.seen()
        assert "v  opens the other split" in at.seen()
        run.checkpoint_file("kept").rename(run.checkpoint_file("best"))
        await at.press("1", "4")
        assert at.screen.has_class("-evaluated")


async def test_a_defect_is_shown_and_leaves_the_screen_usable(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copy_of("digits")

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    async with visit() as at:
        monkeypatch.setattr("tui.screens.evaluate.screen.evaluate_run", broken)
        await at.open(run)
        assert isinstance(at.app.screen, ErrorDialog)
        assert "ZeroDivisionError: a defect" in at.seen()
        await at.press("escape")
        monkeypatch.undo()
        await at.press("v")
        await at.pilot.click("#answer-test")
        await at.settle()
        assert at.screen.has_class("-evaluated")


async def test_on_a_narrow_screen_the_headline_is_one_number(visit: Visits, copy_of: CopyOf) -> None:
    async with visit(NARROW) as at:
        await at.open(copy_of("digits"))
        assert at.plain("#evaluated-headline").startswith("accuracy ")
        assert "majority" not in at.seen()


async def test_the_newest_request_wins(visit: Visits, copy_of: CopyOf) -> None:
    first, second = copy_of("digits"), copy_of("cancer")
    async with visit() as at:
        at.app.switch_mode("evaluate")
        at.screen.open_run(first)
        at.screen.open_run(second)
        await at.settle()
        assert at.subject.evaluation.run == second


async def test_a_newer_evaluation_is_read_when_one_comes_back(visit: Visits, copy_of: CopyOf) -> None:
    run = copy_of("digits")
    async with visit() as at:
        await at.open(run)
        before = at.subject
        await at.press("1", "4")
        assert at.subject is before
        report = before.report
        report.save(run.evaluation_folder("validation") / "report.json")
        before.predictions.save(run.evaluation_folder("validation") / "predictions.npz")
        await at.press("1", "4")
        assert at.subject is not before


# ---- summary


async def test_the_summary_shows_interval_and_baseline_beside_each_metric(
    visit: Visits, copy_of: CopyOf
) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"))
        report = at.subject.report
        line = next(
            line for line in at.seen().splitlines() if "▸accuracy" in line or " accuracy " in line[:20]
        )
        low, high = report.intervals["accuracy"]
        for value in (report.metrics["accuracy"], low, high, report.baseline["accuracy"]):
            assert f"{value:.4f}" in line


def precision(row: dict[str, Any]) -> float:
    return float(row["precision"])


async def test_classes_are_sorted_by_any_column(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("digits"))
        rows = at.subject.report.per_class
        tab = instance(SummaryTab, at.screen.active_tab)
        await at.press("o")
        assert tab.order == sorted(range(10), key=lambda number: precision(rows[number]))
        assert "▲precision" in at.seen()
        await at.press("O")
        assert [precision(rows[number]) for number in tab.order] == sorted(map(precision, rows), reverse=True)
        table = at.one("#classes", Table)
        assert await at.pilot.click(table, offset=(table.size.width - 3, 0))
        await at.settle()
        assert tab.sorted_by == "average_precision"
        await at.press("slash", "7", "enter")
        assert tab.order[table.cursor] == 7
        await at.press("?")
        assert (
            instance(ExplainDialog, at.app.screen).explanation.choices["recall"].startswith("Of the positive")
        )


async def test_what_is_undefined_is_shown_with_its_reason(visit: Visits, made_up: MadeUp) -> None:
    async with visit() as at:
        await at.open(made_up(["a", "b", "c", "d", "e"], samples=3))
        assert "classes 'd', 'e' are not in the validation split" in at.plain("#reasons")
        classes = at.text(at.one("#classes"))
        assert next(line for line in classes.splitlines() if "e " in line[:3]).split()[1:4] == ["–", "–", "–"]


async def test_a_chosen_tab_stays_when_the_focus_of_an_earlier_one_arrives_late(
    visit: Visits, made_up: MadeUp
) -> None:
    async with visit() as at:
        await at.open(made_up(["a", "b", "c"]))
        summary, widget = at.screen.active_tab, at.app.focused
        assert widget is not None
        assert summary in widget.ancestors
        at.screen.tabs.active = "tab-calibration"
        await at.settle()
        summary.post_message(DescendantFocus(widget))
        await at.settle()
        assert at.screen.tabs.active == "tab-calibration"


# ---- regression


async def test_a_regression_has_residuals_in_place_of_curves(visit: Visits, copy_of: CopyOf) -> None:
    async with visit() as at:
        await at.open(copy_of("diabetes"))
        shown = ("summary", "residuals", "slices")
        assert {tab.id for tab in at.screen.query("ContentTab") if tab.display} == {
            f"--content-tab-tab-{name}" for name in shown
        }
        await at.press("t")
        errors = residuals(at.predictions)
        assert f"{error_quantiles(errors, [0.9])[0.9]:.3f}"[:5] in at.text(at.one("#quantiles"))
        largest = int(np.abs(errors).argmax())
        assert at.one(SampleList).positions[0] == largest
        assert "R2" in at.plain("#evaluated-headline")
        await at.open(copy_of("digits"))
        assert at.screen.tabs.active == "tab-summary"
        assert at.screen.query_one("#--content-tab-tab-roc").display


# ---- what comes from data, and any size


THOUSAND = [f"n{number:05d}" for number in range(1000)]


@pytest.mark.parametrize(
    ("names", "size"),
    [(HOSTILE, NARROW), (HOSTILE, NORMAL), (HOSTILE, WIDE), (HOSTILE[:2], NORMAL), (THOUSAND, NARROW)],
    ids=["hostile, narrow", "hostile", "hostile, wide", "two classes", "thousand classes"],
)
@pytest.mark.heavy
async def test_any_names_in_any_number_fit_every_tab(
    visit: Visits, made_up: MadeUp, names: list[str], size: tuple[int, int]
) -> None:
    run = made_up(names, samples=2000)
    async with visit(size) as at:
        await at.open(run)
        for _ in [tab for tab in at.screen.query("ContentTab") if tab.display]:
            lines = at.seen().splitlines()
            assert [cell_len(line) for line in lines] == [size[0]] * size[1]
            assert not [c for c in "".join(lines) if unicodedata.category(c) in ("Cc", "Cf")]
            await at.press("t")
        assert at.screen.tabs.active == "tab-summary"


async def test_slices_stand_worst_first_beside_the_columns_that_matter(
    visit: Visits, copy_of: CopyOf
) -> None:
    async with visit() as at:
        await at.open(copy_of("diabetes"), "slices")
        found = failures_of(at.subject.evaluation, at.subject.data, no_progress)
        shown = at.text(at.one("#slice-table")).splitlines()
        first = found.slices[0]
        assert f"{first.column} = {first.value}"[:15] in shown[1]
        assert f"{first.samples}" in shown[1]
        assert f"{len(found.slices)} slices" in at.seen()
        assert found.importances[0].column in at.text(at.one("#columns")).splitlines()[1]
        await at.open(copy_of("digits"), "slices")
        assert "no columns to cut by" in at.seen()
