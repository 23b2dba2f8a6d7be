"""Mistakes: what the model was most sure of and wrong about."""

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from core.evaluation import most_confident_mistakes
from tui.screens.evaluation.detail import SampleDetail
from tui.screens.evaluation.sample_list import SampleList
from tui.screens.evaluation.tab import EvaluationTab, Subject
from tui.text import count
from tui.widgets.panel import Panel

__all__ = ["MistakesTab"]

MOST = 1000


class MistakesTab(EvaluationTab):
    """The samples in order of confidence, and beside them the one with the cursor in full."""

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
        positions = most_confident_mistakes(subject.predictions, MOST)
        wrong = int((subject.predictions.predicted != subject.predictions.targets).sum())
        panel = self.query_one("#mistakes-panel", Panel)
        panel.border_title = (
            f"{count(wrong)} mistakes of {count(len(subject.predictions))}, the most confident first"
        )
        panel.border_subtitle = ""
        self.query_one("#mistake-panel").display = False
        if len(positions):
            self.query_one(SampleList).show(subject, positions, focus=True)
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
