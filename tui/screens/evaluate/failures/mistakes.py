"""Mistakes: the wrong predictions of highest confidence."""

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from core.evaluation import most_confident_mistakes
from tui.screens.evaluate.detail import SampleDetail
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import count
from tui.widgets.panel import Panel

__all__ = ["MistakesTab"]

MAX_ROWS = 1000


class MistakesTab(EvaluationTab):
    """The samples in order of confidence, beside full details of the one under the cursor."""

    TITLE = "Mistakes"

    def __init__(self) -> None:
        super().__init__(id="mistakes")

    def compose(self) -> ComposeResult:
        with Panel(id="mistakes-panel"):
            yield SampleList()
        with Panel(id="mistake-panel"):
            yield SampleDetail()

    def main_widget(self) -> Widget | None:
        return self.query_one(SampleList).active

    def draw(self, subject: Subject) -> None:
        self.query_one("#mistake-panel").display = False
        self.query_one(SampleList).say("sorting mistakes ...")
        self.in_background("mistakes", lambda progress: _mistakes(subject), self._show)

    def _show(self, found: tuple[np.ndarray, int]) -> None:
        positions, wrong = found
        if self.subject is None:
            return
        panel = self.query_one("#mistakes-panel", Panel)
        samples = count(len(self.subject.predictions))
        panel.border_title = f"{count(wrong)} mistakes of {samples}, the most confident first"
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


def _mistakes(subject: Subject) -> tuple[np.ndarray, int]:
    """Return the positions of the most confident mistakes, and the number of all."""
    predictions = subject.predictions
    wrong = int(np.count_nonzero(predictions.predicted != predictions.targets))
    return most_confident_mistakes(predictions, MAX_ROWS), wrong
