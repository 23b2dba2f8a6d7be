"""Mistakes: the wrong predictions of highest confidence."""

from threading import Event
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from core.counting import counted
from core.evaluation import most_confident_mistakes
from core.evaluation.multilabel.pairs import by_mistakes, mistakes_of_label, wrong_labels
from core.session.occlusion import Occluder
from tui.screens.evaluate.detail import SampleDetail
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.failures.heat import over_picture
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import clean, count, number, progress_line
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture

__all__ = ["MistakesTab"]

if TYPE_CHECKING:
    from torch import Tensor

    from core.inference.occlusion import Occlusion

MAX_ROWS = 1000
Covering = Literal["off", "predicted", "target"]
COVERINGS: Final[tuple[Covering, ...]] = ("off", "predicted", "target")
"""Whose score a map shows, in the order in which the key goes through them."""


class MistakesTab(EvaluationTab):
    """The samples in order of confidence, beside full details of the one under the cursor."""

    TITLE = "Mistakes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "label(1)", "label", tooltip="Only the mistakes of the next label"),
        Binding("L", "label(-1)", "previous label", show=False),
        Binding(
            "o",
            "occlude",
            "occlusion",
            tooltip="Where covering lowers a score: predicted, target, off",
        ),
    ]

    def __init__(self) -> None:
        super().__init__(id="mistakes")
        self.label: int | None = None
        self.covering: Covering = "off"
        self._position = 0
        self._stop = Event()
        self._occluder: Occluder | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to choose a label only where samples have several, and maps only of pictures."""
        if action == "occlude":
            return self._image() is not None
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

    def action_occlude(self) -> None:
        """Map the score of the predicted class, then that of the target, then none."""
        self.covering = COVERINGS[(COVERINGS.index(self.covering) + 1) % len(COVERINGS)]
        if self._mapped is None and self.covering != "off":
            self.covering = "off"
        self._show_sample()

    @property
    def _mapped(self) -> int | None:
        """Number of the class, or of the label, whose score is mapped."""
        if self.subject is None:
            return None
        predictions, position = self.subject.predictions, self._position
        if predictions.has_labels:
            scores = predictions.scores[position]
            return self.label if self.label is not None else int(np.argmax(scores))
        source = predictions.targets if self.covering == "target" else predictions.predicted
        label = int(source[position])
        return label if 0 <= label < len(self.subject.class_names) else None

    def _image(self) -> "Tensor | None":
        samples = self.subject.samples if self.subject is not None else None
        return samples.image(self._position) if samples is not None and samples.loaded else None

    def _occlude(self) -> None:
        """Compute the map of the sample under the cursor; an earlier one is stopped."""
        self._stop.set()
        self.forget("occlusion")
        image, label_number = self._image(), self._mapped
        if self.covering == "off" or image is None or label_number is None or self.subject is None:
            return
        if self._occluder is None:
            self._occluder = Occluder(self.subject.evaluation.run)
        self._subtitle("covering parts ...  o cancels")
        occluder, stop, position = self._occluder, Event(), self._position
        self._stop = stop
        self.in_background(
            "occlusion",
            lambda progress: occluder.map_of(image, label_number, progress, stop.is_set),
            lambda found: self._show_map(found, position, label_number),
        )

    def show_progress(self, what: str, done: int, total: int) -> None:
        self._subtitle(f"{clean(progress_line(what, done, total))}  o cancels")

    def _show_map(self, found: "Occlusion | None", position: int, number_of_class: int) -> None:
        if found is None or self.subject is None:
            return
        pixels = self.subject.samples.picture(position)
        self.query_one(Picture).show(over_picture(pixels, found.falls, no_color=self.app.no_color))
        name = clean(label(self.subject.class_names[number_of_class]))
        where = "bright" if self.app.no_color else "orange"
        self._subtitle(f"-{number(found.largest)} where {where}: {name} {number(found.score)}")

    def _subtitle(self, text: str) -> None:
        self.query_one("#mistake-panel", Panel).border_subtitle = text

    def compose(self) -> ComposeResult:
        with Panel(id="mistakes-panel"):
            yield SampleList()
        with Panel(id="mistake-panel"):
            yield SampleDetail()

    def main_widget(self) -> Widget | None:
        return self.query_one(SampleList).active

    def draw(self, subject: Subject) -> None:
        self.label, self.covering, self._occluder = None, "off", None
        self._stop.set()
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
        self.query_one("#mistakes-panel", Panel).border_subtitle = event.text
        self._position = event.position
        self._show_sample()

    def _show_sample(self) -> None:
        if self.subject is None or not self.subject.samples.loaded:
            return
        panel = self.query_one("#mistake-panel", Panel)
        panel.display = True
        panel.border_title = "at the cursor"
        panel.border_subtitle = "Enter enlarges"
        self.query_one(SampleDetail).show(self.subject, self._position)
        self._occlude()
        self.refresh_bindings()


def _mistakes(subject: Subject, chosen: int | None) -> tuple[np.ndarray, str]:
    """Return the positions of the worst mistakes, and a title.

    Args:
        chosen: number of the label that is looked at alone.
    """
    predictions = subject.predictions
    samples = count(len(predictions))
    if not predictions.has_labels:
        wrong = int(np.count_nonzero(predictions.predicted != predictions.targets))
        title = f"{counted(wrong, 'mistake')} of {samples}, the most confident first"
        return most_confident_mistakes(predictions, MAX_ROWS), title
    mistakes = wrong_labels(predictions)
    if chosen is None:
        wrong = int(mistakes.any(axis=1).sum())
        title = f"{counted(wrong, 'sample has', 'samples have')} wrong labels, of {samples}, the most of them first"
        return by_mistakes(predictions, MAX_ROWS), title
    facts, name = subject.report.per_class[chosen], label(subject.class_names[chosen])
    missed, wrongly = count(int(facts["fn"] or 0)), count(int(facts["fp"] or 0))
    title = f"{name}: missed in {missed}, given wrongly in {wrongly} of {samples}, the surest first"
    return mistakes_of_label(predictions, chosen, MAX_ROWS), title
