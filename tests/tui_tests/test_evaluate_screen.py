"""Evaluating a run: numbers, the samples behind them, curves and thresholds, on validation and on test."""

import shutil
import unicodedata

import numpy as np
import pytest
from rich.cells import cell_len
from textual.widgets import Input, Static

from core import config as configuration
from core import session
from core.config import to_yaml
from core.control import RunControl
from core.evaluation import (
    Predictions,
    best_f1_threshold,
    error_quantiles,
    evaluate,
    most_confident_mistakes,
    one_vs_rest,
    residuals,
    samples_in_cell,
    threshold_for_precision,
    threshold_table,
)
from core.evaluation.stored import was_evaluated
from core.runs.folder import Run
from tui.app import TuiApp
from tui.screens.dialogs import Ask, ErrorDialog
from tui.screens.evaluate import EvaluateScreen
from tui.screens.evaluation.cell_dialog import CellDialog
from tui.screens.evaluation.curve_list import CurveList
from tui.screens.evaluation.detail import SampleDialog
from tui.screens.evaluation.sample_list import SampleList
from tui.screens.evaluation.tiles import Tiles
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture
from tui.widgets.plot import Plot
from tui.widgets.table import Table

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


def train(folder, values):
    fixed = {"training": {"device": "cpu", "threads": 1, "epochs": 3}}
    config = configuration.from_dict(configuration.merge(fixed, values))
    prepared = session.prepare(config, None, lambda what, done, total: None)
    run = session.new_run(prepared, folder)
    session.execute(prepared, run, emit=lambda event: None, control=RunControl())
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs by name, each trained once."""
    folder = tmp_path_factory.mktemp("trained")
    return {
        "digits": train(folder, {"data": "digits"}),
        "margins": train(folder, {"data": "digits", "loss": "hinge"}),
        "cancer": train(folder, {"data": "breast_cancer"}),
        "diabetes": train(folder, {"data": "diabetes"}),
    }


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def copy_of(trained, runs_dir):
    """A copy of a trained run, in the folder the app looks into."""

    def copy_of(name):
        path = runs_dir / trained[name].id
        shutil.copytree(trained[name].path, path)
        return Run(path)

    return copy_of


@pytest.fixture
def made_up(runs_dir):
    """A run that was evaluated on made-up scores of classes with given names; the data are those of digits."""

    def made_up(names, samples=400, sharpness=2.0, split="test"):
        random = np.random.default_rng(0)
        targets = np.arange(samples) % len(names)
        margins = random.normal(size=(samples, len(names)))
        margins[np.arange(samples), targets] += sharpness
        scores = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
        predictions = Predictions(scores, targets, np.arange(samples), True)
        run = Run(runs_dir / "2026-01-01_0900_digits-mlp_abc")
        run.evaluation_folder(split).mkdir(parents=True)
        run.config_file.write_text(to_yaml(configuration.from_dict({})))
        task = "binary" if len(names) == 2 else "multiclass"
        report = evaluate(predictions, task=task, class_names=names, split=split, intervals=False)
        predictions.save(run.evaluation_folder(split) / "predictions.npz")
        report.save(run.evaluation_folder(split) / "report.json")
        return run

    return made_up


class Visit:
    """An app that shows Evaluate."""

    def __init__(self, pilot):
        self.pilot, self.app = pilot, pilot.app

    async def settle(self):
        """Until nothing is computed any more and everything computed is drawn."""
        for _ in range(4):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    async def open(self, run, tab="", split=""):
        self.app.switch_mode("evaluate")
        self.screen.open_run(run, split)
        await self.settle()
        if tab:
            self.screen.tabs.active = f"tab-{tab}"
            await self.settle()

    async def press(self, *keys):
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    @property
    def screen(self) -> EvaluateScreen:
        assert isinstance(self.app.screen, EvaluateScreen)
        return self.app.screen

    @property
    def predictions(self):
        return self.screen.opened.subject.predictions

    def one(self, selector, kind=None):
        """A widget of the tab that is seen, or of the dialog over it."""
        root = self.app.screen
        if isinstance(root, EvaluateScreen):
            root = root.active_tab
        return root.query_one(selector, kind) if kind else root.query_one(selector)

    def text(self, widget):
        return "\n".join(strip.text for strip in widget.render_lines(widget.size.region))

    def seen(self):
        """What the whole screen shows."""
        return "\n".join(
            "".join(segment.text for segment in line) for line in self.app.screen._compositor.render_strips()
        )

    def plain(self, selector):
        return self.app.screen.query_one(selector, Static).content.plain


@pytest.fixture
def visit(runs_dir):
    """Opens the app in a size."""

    class Opening:
        def __init__(self, size):
            self.app = TuiApp(runs_dir=runs_dir)
            self.running = self.app.run_test(size=size)

        async def __aenter__(self):
            at = Visit(await self.running.__aenter__())
            while at.app.current_mode not in at.app.MODES:
                await at.settle()
            return at

        async def __aexit__(self, *error):
            await self.running.__aexit__(*error)

    return lambda size=NORMAL: Opening(size)


# ---- which run, which split


async def test_a_finished_run_opens_on_test_with_its_headline(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"))
        report = at.screen.opened.subject.report
        assert at.screen.split == report.split == "test"
        assert "test  360 samples  best, epoch 3" in at.plain("#evaluated-run")
        assert f"accuracy {100 * report.metrics['accuracy']:.1f} %" in at.plain("#evaluated-headline")
        assert "majority class 10.3 %" in at.plain("#evaluated-headline")


async def test_without_a_run_the_one_evaluated_last_is_shown(visit, copy_of):
    run = copy_of("digits")
    async with visit() as at:
        await at.press("4")
        assert at.screen.run == run
        assert at.screen.has_class("-evaluated")


async def test_without_any_run_the_screen_says_how_to_get_one(visit):
    async with visit() as at:
        await at.press("4")
        assert "No run was evaluated yet" in at.seen()
        assert "2 opens the form to train one" in at.seen()
        await at.press("v", "t")
        assert not at.screen.has_class("-evaluated")


async def test_test_is_asked_for_once_and_kept(visit, copy_of):
    run = copy_of("digits")
    shutil.rmtree(run.evaluation_folder("test"))
    async with visit() as at:
        await at.open(run)
        assert at.screen.split == "validation"
        await at.press("v")
        assert isinstance(at.app.screen, Ask)
        assert "Test data is meant for the end" in at.seen()
        await at.press("escape")
        assert at.screen.split == "validation"
        assert not was_evaluated(run, "test")
        await at.press("v")
        await at.pilot.click("#answer-test")
        await at.settle()
        assert at.screen.split == at.screen.opened.subject.report.split == "test"
        assert was_evaluated(run, "test")
        await at.press("v")
        assert at.screen.split == "validation"
        await at.press("v")
        assert at.screen.split == "test"


async def test_what_cannot_be_evaluated_says_why_in_its_place(visit, copy_of):
    run = copy_of("digits")
    shutil.rmtree(run.path / "evaluation")
    run.checkpoint_file("best").rename(run.checkpoint_file("kept"))
    async with visit() as at:
        await at.open(run)
        assert "✗" in at.seen()
        assert f"{run.id} has no checkpoint best.pt" in at.seen()
        assert "v  tries the other split" in at.seen()
        run.checkpoint_file("kept").rename(run.checkpoint_file("best"))
        await at.press("1", "4")
        assert at.screen.has_class("-evaluated")


async def test_a_defect_is_shown_and_leaves_the_screen_usable(visit, copy_of, monkeypatch):
    run = copy_of("digits")

    def broken(*_, **__):
        raise ZeroDivisionError("a defect")

    async with visit() as at:
        monkeypatch.setattr("tui.screens.evaluate.evaluate_run", broken)
        await at.open(run)
        assert isinstance(at.app.screen, ErrorDialog)
        assert "ZeroDivisionError: a defect" in at.seen()
        await at.press("escape")
        monkeypatch.undo()
        await at.press("v")
        assert at.screen.has_class("-evaluated")


async def test_on_a_narrow_screen_the_headline_is_one_number(visit, copy_of):
    async with visit(NARROW) as at:
        await at.open(copy_of("digits"))
        assert at.plain("#evaluated-headline").startswith("accuracy ")
        assert "majority" not in at.seen()


async def test_the_newest_request_wins(visit, copy_of):
    first, second = copy_of("digits"), copy_of("cancer")
    async with visit() as at:
        at.app.switch_mode("evaluate")
        at.screen.open_run(first)
        at.screen.open_run(second)
        await at.settle()
        assert at.screen.opened.subject.evaluation.run == second


async def test_a_newer_evaluation_is_read_when_one_comes_back(visit, copy_of):
    run = copy_of("digits")
    async with visit() as at:
        await at.open(run)
        before = at.screen.opened.subject
        await at.press("1", "4")
        assert at.screen.opened.subject is before
        report = before.report
        report.save(run.evaluation_folder("test") / "report.json")
        before.predictions.save(run.evaluation_folder("test") / "predictions.npz")
        await at.press("1", "4")
        assert at.screen.opened.subject is not before


# ---- summary


async def test_the_summary_shows_interval_and_baseline_beside_each_metric(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"))
        report = at.screen.opened.subject.report
        line = next(
            line for line in at.seen().splitlines() if "▸accuracy" in line or " accuracy " in line[:20]
        )
        low, high = report.intervals["accuracy"]
        for value in (report.metrics["accuracy"], low, high, report.baseline["accuracy"]):
            assert f"{value:.4f}" in line


async def test_classes_are_sorted_by_any_column(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"))
        rows = at.screen.opened.subject.report.per_class
        tab = at.screen.active_tab
        await at.press("o")
        assert tab.order == sorted(range(10), key=lambda number: rows[number]["precision"])
        assert "▲precision" in at.seen()
        await at.press("O")
        assert [rows[number]["precision"] for number in tab.order] == sorted(
            (row["precision"] for row in rows), reverse=True
        )
        table = at.one("#classes", Table)
        assert await at.pilot.click(table, offset=(table.size.width - 3, 0))
        await at.settle()
        assert tab.sorted_by == "average_precision"


async def test_what_is_undefined_is_shown_with_its_reason(visit, made_up):
    async with visit() as at:
        await at.open(made_up(["a", "b", "c", "d", "e"], samples=3))
        assert "classes 'd', 'e' are not in the test split" in at.plain("#reasons")
        classes = at.text(at.one("#classes"))
        assert next(line for line in classes.splitlines() if "e " in line[:3]).split()[1:4] == ["–", "–", "–"]


# ---- confusion


def expected_behind(at, true, predicted):
    return sorted(samples_in_cell(at.predictions, true, predicted).tolist())


async def test_enter_opens_the_images_behind_a_cell(visit, copy_of, load_data):
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        assert "Enter shows the samples behind the cell" in at.seen()
        await at.press("m", "enter")
        true, predicted = at.one(ConfusionGrid).cursor
        samples = at.one("#cell", SampleList)
        assert true != predicted
        assert sorted(samples.positions) == expected_behind(at, true, predicted)
        assert f"true {true}, predicted {predicted}" in at.seen()
        place = samples.positions[0]
        source = at.predictions.indices[place]
        split = load_data("digits").test
        pixels = split.inputs[int(np.flatnonzero(split.indices == source)[0]), 0].numpy().astype(float)
        picture = at.one("#cell").query(Picture).first()
        np.testing.assert_array_equal(picture._pixels, np.round(pixels * 255 / 16).astype(np.uint8))
        assert "▀" in at.text(picture)
        assert at.app.focused is at.one(Tiles)


async def test_the_samples_follow_the_cursor_once_they_are_there(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        await at.press("enter")
        assert sorted(at.one("#cell", SampleList).positions) == expected_behind(at, 0, 0)
        await at.press("escape", "m")
        assert at.app.focused is at.one(ConfusionGrid)
        assert sorted(at.one("#cell", SampleList).positions) == expected_behind(
            at, *at.one(ConfusionGrid).cursor
        )


async def test_on_a_narrow_screen_the_samples_lie_over_it(visit, copy_of):
    async with visit(NARROW) as at:
        await at.open(copy_of("digits"), "confusion")
        await at.press("m")
        cell = at.one(ConfusionGrid).cursor
        positions = expected_behind(at, *cell)
        await at.press("enter")
        assert isinstance(at.app.screen, CellDialog)
        assert sorted(at.app.screen.query_one(SampleList).positions) == positions
        await at.press("enter")
        assert isinstance(at.app.screen, SampleDialog)
        await at.press("escape", "escape")
        assert at.one(ConfusionGrid).cursor == cell


async def test_tables_show_rows_with_their_features(visit, copy_of, load_data):
    async with visit(WIDE) as at:
        await at.open(copy_of("cancer"), "confusion")
        await at.press("enter")
        samples = at.one("#cell", SampleList)
        position = samples.positions[0]
        split = load_data("breast_cancer").test
        row = split.inputs[int(np.flatnonzero(split.indices == at.predictions.indices[position])[0])]
        assert sorted(samples.positions) == expected_behind(at, 0, 0)
        text = at.text(at.one("#cell").query_one(Table))
        assert "malignant" in text
        assert f"{float(row[0]):.3f}"[:5] in text
        await at.press("enter")
        assert isinstance(at.app.screen, SampleDialog)
        assert "mean radius" in at.seen()
        await at.press("right", "enter")
        assert at.one("#cell").query_one(Table).cursor == 1


async def test_a_confused_pair_leads_to_its_cell(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"), "confusion")
        pairs = at.one("#pairs")
        pairs.focus()
        await at.press("down", "enter")
        assert at.one(ConfusionGrid).cursor == (pairs.pairs[1].true, pairs.pairs[1].predicted)


async def test_other_data_than_those_evaluated_are_not_shown(visit, made_up):
    async with visit() as at:
        await at.open(made_up(["a", "b", "c"]), "confusion")
        await at.press("enter")
        said = at.one("#cell").query_one(Static).content.plain
        assert said.startswith(
            "✗ the test samples are not those that were evaluated: the data set has changed"
        )


# ---- curves and thresholds


def drawn(at):
    return [series.label for series in at.one(Plot).chart.series]


@pytest.mark.parametrize("tab", ["roc", "pr"])
async def test_classes_are_turned_on_and_off(visit, copy_of, tab):
    async with visit() as at:
        await at.open(copy_of("digits"), tab)
        lines = at.one(CurveList)
        assert len(lines.shown) == 8
        assert {10, 11} <= set(lines.shown), "micro and macro"
        chart = at.one(Plot).chart
        assert len(chart.series) == 9, "and a line for a guess"
        chosen, label = lines.cursor, str(lines.cursor)
        await at.press("space")
        assert label in drawn(at), "the line with the cursor is drawn in any case"
        await at.press("up")
        assert chosen not in lines.shown
        assert label not in drawn(at)
        await at.press("down", "space", "up")
        assert label in drawn(at)
        report = at.screen.opened.subject.report
        key = "roc_auc" if tab == "roc" else "average_precision"
        assert f"{report.per_class[chosen][key]:.4f}" in at.text(lines)
        await at.press("end")
        assert f"{report.metrics[f'{key}_macro']:.4f}" in at.text(lines)


async def test_without_colour_lines_differ_in_what_they_are_drawn_with(visit, copy_of, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with visit() as at:
        await at.open(copy_of("digits"), "roc")
        shown = [line for line in at.text(at.one(CurveList)).splitlines() if "✓" in line]
        signs = [line[line.index("✓") + 2] for line in shown]
        assert len(set(signs)) >= 5


async def test_the_threshold_cursor_reads_the_point_out(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("cancer"), "roc")
        lines = at.one(CurveList)
        assert lines.cursor == 1, "the positive class"
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        await at.press("left", "left", "right", "left")
        tab = at.screen.active_tab
        point = tab.curves[1].point("roc", tab.place)
        expected = threshold_table(ranked, [point.threshold])[0]
        assert (point.tp, point.fp, point.precision, point.recall, point.f1, point.fpr) == (
            *(expected.tp, expected.fp, expected.precision, expected.recall, expected.f1, expected.fpr),
        )
        text = at.one(".readout", Static).content.plain
        assert text.startswith("● benign")
        assert f"precision {expected.precision:.3f}" in text
        assert f"{expected.tp} found, {expected.fn} missed, {expected.fp} false" in text
        (mark,) = at.one(Plot).chart.marks
        assert (mark.x, mark.y) == (expected.fpr, expected.recall)
        assert at.one("#roc-points", Table).cursor == tab.place


async def test_the_cursor_begins_at_the_best_f1_and_follows_the_table(visit, copy_of):
    async with visit(WIDE) as at:
        await at.open(copy_of("cancer"), "pr")
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        tab = at.screen.active_tab
        best = tab.curves[1].point("pr", tab.place)
        assert best.f1 == pytest.approx(best_f1_threshold(ranked).f1, abs=0.01)
        at.one("#pr-points").focus()
        await at.press("home")
        (mark,) = at.one(Plot).chart.marks
        assert (mark.x, mark.y) == (0.0, 1.0)


async def test_a_class_without_samples_has_no_line_and_says_why(visit, made_up):
    async with visit() as at:
        await at.open(made_up(["a", "b", "c"], samples=2), "roc")
        await at.press("end", "up", "up")
        assert "c  no curve: no sample is of this class" in at.one(".readout", Static).content.plain
        await at.press("left", "t", "end", "up", "up")
        assert at.screen.tabs.active == "tab-pr"
        assert "c  no curve: no sample is of this class" in at.one(".readout", Static).content.plain


async def test_a_wanted_precision_gives_a_threshold_and_its_cost(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("cancer"), "threshold")
        ranked = one_vs_rest(at.predictions.scores[:, 1], at.predictions.targets == 1)
        best = best_f1_threshold(ranked)
        assert f"{best.threshold:.4f}" in at.text(at.one("#decisions"))
        await at.press("p", "0", ".", "9", "9")
        point = threshold_for_precision(ranked, 0.99)
        line = next(line for line in at.text(at.one("#decisions")).splitlines() if "precision ≥ 0.99" in line)
        assert f"{point.threshold:.4f}" in line
        assert f"misses {point.fn} of {ranked.positives}, {point.fp} false alarms" in line
        assert [mark.symbol for mark in at.one(Plot).chart.marks] == ["○", "★", "●"]
        assert [series.label for series in at.one(Plot).chart.series] == ["precision", "recall", "F1", "FPR"]
        await at.press("enter")
        assert at.app.focused is at.one("#decisions")


async def test_a_wanted_share_that_is_none_is_refused_where_it_stands(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"), "threshold")
        for text, problem in (
            ("2", "2 is not from 0 to 1"),
            ("x", "'x' is not a number"),
            ("nan", "nan is not"),
        ):
            at.one("#wanted-recall", Input).value = text
            await at.settle()
            assert f"✗ recall: {problem}" in at.seen()
            assert "recall ≥" not in at.text(at.one("#decisions"))


async def test_calibration_shows_its_error_or_says_why_there_is_none(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"), "calibration")
        report = at.screen.opened.subject.report
        assert f"ECE {report.metrics['ece']:.4f}" in str(at.one(".plot-panel", Panel).border_subtitle)
        assert (
            sum(int(line.split()[-3]) for line in at.text(at.one("#bins")).splitlines()[1:] if line.strip())
            == 360
        )
        await at.open(copy_of("margins"), "calibration")
        assert "No calibration curve: the scores are margins, not probabilities" in at.seen()


# ---- mistakes, residuals


async def test_mistakes_come_in_order_of_confidence(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("digits"), "mistakes")
        samples = at.one(SampleList)
        assert list(samples.positions) == most_confident_mistakes(at.predictions, 1000).tolist()
        assert f"{len(samples.positions)} mistakes of 360" in at.seen()
        await at.press("right")
        second = int(samples.positions[1])
        facts = at.one("#detail-facts", Static).content.plain
        assert f"true      {at.predictions.targets[second]}" in facts
        assert f"predicted ✗ {at.predictions.predicted[second]}" in facts
        assert f"{at.predictions.scores[second].max():.3f}" in at.text(at.one("#detail-scores"))
        await at.press("enter", "right", "escape")
        assert at.one(Tiles).cursor == 2


async def test_no_mistakes_are_no_failure(visit, made_up):
    async with visit() as at:
        await at.open(made_up(["a", "b"], sharpness=99), "mistakes")
        assert "no mistakes" in at.seen()


async def test_a_regression_has_residuals_in_place_of_curves(visit, copy_of):
    async with visit() as at:
        await at.open(copy_of("diabetes"))
        assert {tab.id for tab in at.screen.query("ContentTab") if tab.display} == {
            *("--content-tab-tab-summary", "--content-tab-tab-residuals"),
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
async def test_any_names_in_any_number_fit_every_tab(visit, made_up, names, size):
    run = made_up(names, samples=2000)
    async with visit(size) as at:
        await at.open(run)
        for _ in range(7):
            lines = at.seen().splitlines()
            assert [cell_len(line) for line in lines] == [size[0]] * size[1]
            assert not [c for c in "".join(lines) if unicodedata.category(c) in ("Cc", "Cf")]
            await at.press("t")
        assert at.screen.tabs.active == "tab-summary"
