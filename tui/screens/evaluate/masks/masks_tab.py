"""Masks: each image beside its mask and the predicted one, the worst first."""

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.evaluation.segmentation.counts import image_counts, per_class, totals
from core.evaluation.segmentation.pictures import class_colour, coloured
from core.evaluation.segmentation.report import image_scores, worst_images
from tui.forms.remedies import error_in_app
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import clean, count, number
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture
from tui.widgets.table import Column, Table

__all__ = ["MasksTab"]

MAX_ROWS = 1000
PICTURES = {"mask-image": "image", "mask-truth": "true", "mask-answer": "predicted"}


class MasksTab(EvaluationTab):
    """The images in the order of their mean IoU, beside the pictures of the one under the cursor."""

    TITLE = "Mistakes"

    def __init__(self) -> None:
        super().__init__(id="masks")
        self.positions = np.empty(0, dtype=np.int64)
        self.scores = np.empty(0)

    def compose(self) -> ComposeResult:
        with Panel(id="masks-panel"):
            yield Table(id="masks-table")
        with Vertical(id="masks-side"):
            with Horizontal(id="masks-pictures"):
                for name in PICTURES:
                    with Panel(classes="mask-panel"):
                        yield Picture(id=name)
            with Panel(id="masks-classes-panel"):
                yield Static("", id="masks-classes", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one("#masks-table", Table)

    def draw(self, subject: Subject) -> None:
        self.query_one("#masks-side").display = False
        panel = self.query_one("#masks-panel", Panel)
        panel.border_title, panel.border_subtitle = "sorting images ...", ""
        self.in_background("masks", lambda progress: _worst(subject), self._list)

    def _list(self, found: tuple[np.ndarray, np.ndarray]) -> None:
        subject = self.subject
        if subject is None:
            return
        self.positions, self.scores = found
        table, indices = self.query_one("#masks-table", Table), subject.predictions.indices
        columns = [Column("image", 8), Column("mean IoU", 9)]
        table.cursor = 0
        table.show(
            columns,
            len(self.positions),
            lambda row: [str(int(indices[self.positions[row]])), number(float(self.scores[row]))],
        )
        panel = self.query_one("#masks-panel", Panel)
        panel.border_title = "the worst first"
        for picture, title in PICTURES.items():
            parent = self.query_one(f"#{picture}").parent
            if isinstance(parent, Panel):
                parent.border_title = title
        if not len(self.positions):
            panel.border_title = "every pixel is right"
        elif subject.samples.ready(self.positions):
            self._show(0)
        else:
            panel.border_subtitle = "loading the images ..."
            self.in_background(
                "samples",
                lambda progress: subject.samples.read(self.positions, progress),
                lambda _: self._show(0),
                self._failed,
            )

    def _failed(self, error: Exception) -> None:
        self.query_one("#masks-panel", Panel).border_subtitle = clean(f"✗ {error_in_app(error)}")

    @on(Table.Highlighted, "#masks-table")
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self._show(event.row)

    def _show(self, row: int) -> None:
        subject = self.subject
        if subject is None or not subject.samples.loaded or row >= len(self.positions):
            return
        position = int(self.positions[row])
        truth, answer = subject.predictions.targets[position], subject.predictions.scores[position]
        self.query_one(
            "#masks-panel", Panel
        ).border_subtitle = f"{count(row + 1)} of {count(len(self.positions))}"
        self.query_one("#masks-side").display = True
        self.query_one("#mask-image", Picture).show(subject.samples.picture(position))
        self.query_one("#mask-truth", Picture).show(coloured(truth))
        self.query_one("#mask-answer", Picture).show(coloured(answer))
        self.query_one("#masks-classes-panel", Panel).border_title = "classes of this image"
        self.query_one("#masks-classes", Static).update(_classes(truth, answer, subject.class_names))


def _worst(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the worst images, and the mean IoU of each."""
    positions = worst_images(subject.predictions, MAX_ROWS)
    return positions, image_scores(subject.predictions, len(subject.class_names))[positions]


def _classes(truth: np.ndarray, answer: np.ndarray, names: list[str]) -> Content:
    """A line for each class that occurs: its colour, its name, its IoU, and its pixels in truth and prediction."""
    summed = totals(image_counts(answer[None], truth[None], len(names)))[0]
    found = per_class(summed)["iou"]
    lines = []
    for at, name in enumerate(names):
        true, predicted = int(summed[1, at]), int(summed[2, at])
        if true or predicted:
            colour = "rgb({},{},{})".format(*class_colour(at))
            text = f" {label(name)}  IoU {number(float(found[at]))}  true {count(true)}  predicted {count(predicted)}"
            lines.append(Content.assemble(("██", colour), text))
    return Content("\n").join(lines)
