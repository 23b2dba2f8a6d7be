"""Threshold: precision and recall by decision threshold, and which threshold to choose."""

import math
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from core.data.dataset import Progress
from core.errors import TorchtuiError
from core.evaluation import Predictions, RankedCounts
from core.evaluation.checks import why_not_probabilities
from core.evaluation.curve_sets import Curve
from core.evaluation.weighted import ranked_counts
from core.inference.chosen import label_decisions_of
from core.inference.stored import Evaluation, saved_evaluation
from core.runs.folder import Run
from core.session.threshold import choose_for_run, remove_threshold
from tui.charts.plot import Plot, legend
from tui.charts.plot_chart import Chart
from tui.forms.remedies import error_in_app
from tui.screens.base import NARROW
from tui.screens.evaluate.decisions import COLUMNS, COST, Decision, cells, cost, decisions, threshold_chart
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.evaluate.two_classes.threshold_dialog import Answer, ThresholdDialog
from tui.terminal.text import clean, number
from tui.widgets.panel import Panel
from tui.widgets.table import Column, Table

__all__ = ["ThresholdTab"]


class ThresholdTab(EvaluationTab):
    """One class against the rest."""

    TITLE = "Threshold"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "ask('precision')", "precision", tooltip="Enter a target precision"),
        Binding("r", "ask('recall')", "recall", tooltip="Enter a target recall"),
        Binding("c", "choose", "choose", tooltip="Choose the threshold of the run, on validation"),
    ]

    @dataclass
    class Changed(Message):
        """The run has another threshold, so that its evaluations are outdated."""

        run: Run

    def __init__(self) -> None:
        super().__init__(id="threshold")
        self.curves: list[Curve] = []
        self.ranked: RankedCounts | None = None
        self.choosing: RankedCounts | None = None  # of validation, while another split is shown
        self.chosen = 0
        self.found: list[Decision] = []
        self.probabilities = False

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield Plot()
        with Panel(classes="list-panel"):
            yield Table(id="threshold-classes")
        with Horizontal(id="wanted"):
            for name in ("precision", "recall"):
                yield Label(f"{name} ≥")
                yield Input(id=f"wanted-{name}", placeholder="0 to 1", compact=True, max_length=8)
            yield Static("", id="wanted-problem", markup=False)
        with Panel(id="decisions-panel"):
            yield Table(id="decisions")

    def main_widget(self) -> Widget | None:
        return self.query_one("#threshold-classes")

    def draw(self, subject: Subject) -> None:
        self.curves, self.ranked = [], None
        self.forget("class")
        self.refresh_bindings()
        self.query_one("#threshold-classes", Table).show((), 0, lambda row: ())
        self.query_one(Plot).show(Chart(empty="sorting scores ..."))
        self.in_background(
            "curves", lambda progress: (subject.curves, _are_probabilities(subject)), self._show
        )

    def _show(self, result: tuple[list[Curve], bool]) -> None:
        self.curves, self.probabilities = result
        rows = [(label(curve.name), number(curve.area["pr"])) for curve in self.curves[:-2]]
        table = self.query_one("#threshold-classes", Table)
        table.show([Column("class", 0, "<"), Column("AP", 6)], len(rows), rows.__getitem__)
        exclusive = all(curve.exclusive for curve in self.curves)
        title = "one against the rest" if exclusive else "each label"
        self.query_one(".list-panel", Panel).border_title = title
        chosen = min(self.chosen, len(rows) - 1)
        if len(rows) == 2 and chosen == 0 and self.curves[0].exclusive:
            chosen = 1  # the positive class
        if chosen != table.cursor:
            table.cursor = chosen
        else:
            self._rank(chosen)

    @on(Table.Highlighted, "#threshold-classes")
    def _class_chosen(self, event: Table.Highlighted) -> None:
        self._rank(event.row)

    def _rank(self, class_number: int) -> None:
        """Sort the scores of a class, then show the thresholds."""
        if self.subject is not None and self.curves:
            self.chosen = class_number
            evaluation = self.subject.evaluation
            self.in_background("class", lambda progress: _both_counts(evaluation, class_number), self._ranked)

    def _ranked(self, counts: tuple[RankedCounts, RankedCounts | None]) -> None:
        self.ranked, self.choosing = counts
        self._title_decisions()
        self._decide()

    def _title_decisions(self) -> None:
        """Show on what the thresholds are chosen where that is not the split that is shown."""
        if self.subject is None:
            return
        title, split = "decisions", self.subject.evaluation.split
        if self.choosing is not None:
            title += f", chosen on validation, as they do on {split}"
        elif split != "validation":
            title += f", chosen on {split} itself: too good to be true elsewhere"
        weighted = self.subject.predictions.weights is not None
        panel = self.query_one("#decisions-panel", Panel)
        panel.border_title = f"{title}, by weights of samples" if weighted else title

    def action_ask(self, what: str) -> None:
        """Focus the field for a target precision or recall."""
        self.query_one(f"#wanted-{what}").focus()

    @on(Input.Changed)
    def _wanted_changed(self) -> None:
        self._decide()

    @on(Input.Submitted)
    def _wanted_entered(self) -> None:
        self.query_one("#decisions").focus()

    def on_resize(self) -> None:
        self._decide()

    # ---- the threshold of the run

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a choice where there are two classes, or labels."""
        return action != "choose" or (self.subject is not None and _has_thresholds(self.subject))

    def action_choose(self) -> None:
        """Choose the threshold of the run, or of the label under the cursor, by a rule; on validation alone."""
        subject = self.subject
        if subject is None or not _has_thresholds(subject):
            return
        if subject.evaluation.split != "validation":
            self.notify(
                "A threshold is chosen on validation, so that test stays unseen. Press v for validation.",
                severity="warning",
            )
            return
        predictions, report, run = subject.predictions, subject.report, subject.evaluation.run
        of_label = predictions.has_labels
        place = self.query_one("#threshold-classes", Table).cursor if of_label else 1
        name = report.class_names[place]

        def read(progress: Progress) -> tuple[RankedCounts, str]:
            known = label_decisions_of(run).get(name)
            kept = report.chosen_by if not of_label else known.rule.words if known else ""
            return _counts(predictions, place), kept

        def ask(found: tuple[RankedCounts, str]) -> None:
            dialog = ThresholdDialog(
                found[0], name, found[1], probabilities=predictions.probabilities, of_label=of_label
            )
            self.app.push_screen(dialog, lambda answer: self._keep(subject, answer, name))

        self.in_background("positive", read, ask, self._not_kept)

    def _keep(self, subject: Subject, answer: Answer | None, name: str) -> None:
        """Keep what was chosen with the run, and have it evaluated again."""
        if answer is None:
            return
        run, rule, root = subject.evaluation.run, answer.rule, subject.data.root
        labels = [name] if subject.predictions.has_labels and not answer.of_all else []

        def keep(progress: Progress) -> None:
            if rule is not None:
                choose_for_run(run, rule, labels, data_root=root, progress=progress)
            elif not labels or name in label_decisions_of(run):
                remove_threshold(run, labels)

        self.query_one("#decisions-panel", Panel).border_subtitle = "evaluating again ..."
        self.in_background("keep", keep, lambda nothing: self._kept(run), self._not_kept)

    def _kept(self, run: Run) -> None:
        self.post_message(self.Changed(run))

    def _not_kept(self, error: Exception) -> None:
        self.query_one("#decisions-panel", Panel).border_subtitle = ""
        self.notify(clean(error_in_app(error)), severity="error", markup=False)

    def _decide(self) -> None:
        """Find the requested thresholds, and show them."""
        if self.ranked is None:
            return
        wanted, problems = {}, []
        for name in ("precision", "recall"):
            wanted[name], problem = _share(self.query_one(f"#wanted-{name}", Input).value)
            problems += [f"✗ {name}: {problem}"] if problem else []
        self.query_one("#wanted-problem", Static).update(Content("  ".join(problems)))
        chosen = self._on_validation()
        self.found = decisions(
            self.ranked, probabilities=self.probabilities, chosen=chosen, choosing=self.choosing, **wanted
        )
        shown = threshold_chart(self.ranked, self.found, probabilities=self.probabilities)
        self.query_one(Plot).show(shown)
        panel = self.query_one(".plot-panel", Panel)
        panel.border_title = legend(shown)
        name = self.curves[self.query_one("#threshold-classes", Table).cursor].name
        is_positive = self.subject is not None and name == self.subject.report.positive
        panel.border_subtitle = f"{label(name)}, the positive class" if is_positive else label(name)
        self._show_decisions()

    def _on_validation(self) -> float | None:
        """Return the threshold that predictions of the class or label are made with; None where none was chosen."""
        predictions = self.subject.predictions if self.subject else None
        if predictions is None or predictions.thresholds is None:
            return None
        place = self.query_one("#threshold-classes", Table).cursor
        if len(predictions.thresholds) == 1:
            return float(predictions.thresholds[0]) if place == 1 else None
        return float(predictions.thresholds[place])

    def _show_decisions(self) -> None:
        """Show the cost of the chosen decision on the border, where there is no room for a column."""
        found, table = self.found, self.query_one("#decisions", Table)
        roomy = self.screen.size.width >= NARROW
        columns = [*COLUMNS, COST] if roomy else COLUMNS
        table.show(
            columns, len(found), lambda row: [*cells(found[row]), cost(found[row])][: len(columns)], frozen=1
        )
        self.query_one("#decisions-panel", Panel).border_subtitle = "" if roomy else cost(found[table.cursor])

    @on(Table.Highlighted, "#decisions")
    def _decision_highlighted(self) -> None:
        self._show_decisions()


def _has_thresholds(subject: Subject) -> bool:
    return bool(subject.report.positive) or subject.predictions.has_labels


def _are_probabilities(subject: Subject) -> bool:
    return why_not_probabilities(subject.predictions) is None


def _counts(predictions: Predictions, class_number: int) -> RankedCounts:
    scores, positive = predictions.scores[:, class_number], predictions.positive(class_number)
    ranked = ranked_counts(scores, positive, predictions.weights)
    _ = ranked.tp, ranked.fp  # computed here, kept for the UI thread
    return ranked


def _both_counts(evaluation: Evaluation, class_number: int) -> tuple[RankedCounts, RankedCounts | None]:
    """Return the counts of a class, and those of validation where another split is shown and it was evaluated."""
    shown = _counts(evaluation.predictions, class_number)
    if evaluation.split == "validation":
        return shown, None
    try:
        held_out = saved_evaluation(evaluation.run, "validation")
    except TorchtuiError:
        held_out = None
    return shown, _counts(held_out.predictions, class_number) if held_out is not None else None


def _share(text: str) -> tuple[float | None, str]:
    """Return a number from 0 to 1, or an error message; None for an empty field."""
    if not text.strip():
        return None, ""
    try:
        value = float(text)
    except ValueError:
        return None, f"'{clean(text)}' is not a number"
    if math.isnan(value) or not 0 <= value <= 1:
        return None, f"{clean(text)} is outside 0 to 1"
    return value, ""
