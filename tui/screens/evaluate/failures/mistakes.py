"""Mistakes: the wrong predictions of highest confidence."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from core.evaluation import most_confident_mistakes
from core.evaluation.multilabel.pairs import by_mistakes, mistakes_of_label, wrong_labels
from tui.screens.evaluate.detail import SampleDetail
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import count
from tui.widgets.panel import Panel

__all__ = ["MistakesTab"]

MAX_ROWS = 1000


class MistakesTab(EvaluationTab):
    """The samples in order of confidence, beside full details of the one under the cursor."""

    TITLE = "Mistakes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "label(1)", "label", tooltip="Only the mistakes of the next label"),
        Binding("L", "label(-1)", "previous label", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="mistakes")
        self.label: int | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to choose a label only where samples have several."""
        if action != "label":
            return True
        return self.subject is not None and self.subject.predictions.has_labels

    def action_label(self, by: int) -> None:
        """Show the mistakes of the next or the previous label alone, after the last one those of all."""
        if self.subject is not None:
            labels = len(self.subject.class_names)
            place = (0 if self.label is None else self.label + 1) + by
            self.label = place % (labels + 1) - 1 if place % (labels + 1) else None
            self._sort(self.subject)

    def compose(self) -> ComposeResult:
        with Panel(id="mistakes-panel"):
            yield SampleList()
        with Panel(id="mistake-panel"):
            yield SampleDetail()

    def main_widget(self) -> Widget | None:
        return self.query_one(SampleList).active

    def draw(self, subject: Subject) -> None:
        self.label = None
        self.refresh_bindings()
        self._sort(subject)

    def _sort(self, subject: Subject) -> None:
        label = self.label
        self.query_one("#mistake-panel").display = False
        self.query_one(SampleList).say("sorting mistakes ...")
        self.in_background("mistakes", lambda progress: _mistakes(subject, label), self._show)

    def _show(self, found: tuple[np.ndarray, str]) -> None:
        positions, title = found
        if self.subject is None:
            return
        panel = self.query_one("#mistakes-panel", Panel)
        panel.border_title = title
        panel.border_subtitle = ""
        if len(positions):
            self.query_one(SampleList).show(self.subject, positions, focus=self.is_on_screen)
        else:
            self.query_one(SampleList).say("no mistakes")

    @on(SampleList.Highlighted)
    def _highlighted(self, event: SampleList.Highlighted) -> None:
        panel = self.query_one("#mistake-panel", Panel)
        self.query_one("#mistakes-panel", Panel).border_subtitle = event.text
        if self.subject is not None and self.subject.samples.loaded:
            panel.display = True
            panel.border_title = "at the cursor"
            panel.border_subtitle = "Enter enlarges"
            self.query_one(SampleDetail).show(self.subject, event.position)


def _mistakes(subject: Subject, chosen: int | None) -> tuple[np.ndarray, str]:
    """Return the positions of the worst mistakes, and a title.

    Args:
        chosen: number of the label that is looked at alone.
    """
    predictions = subject.predictions
    samples = count(len(predictions))
    if not predictions.has_labels:
        wrong = int(np.count_nonzero(predictions.predicted != predictions.targets))
        title = f"{count(wrong)} mistakes of {samples}, the most confident first"
        return most_confident_mistakes(predictions, MAX_ROWS), title
    mistakes = wrong_labels(predictions)
    if chosen is None:
        wrong = int(mistakes.any(axis=1).sum())
        title = f"{count(wrong)} of {samples} samples have wrong labels, the most of them first"
        return by_mistakes(predictions, MAX_ROWS), title
    facts, name = subject.report.per_class[chosen], label(subject.class_names[chosen])
    missed, wrongly = count(int(facts["fn"] or 0)), count(int(facts["fp"] or 0))
    title = f"{name}: missed in {missed}, given wrongly in {wrongly} of {samples}, the surest first"
    return mistakes_of_label(predictions, chosen, MAX_ROWS), title
