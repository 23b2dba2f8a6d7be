"""Base of the tabs of Evaluate: the evaluation they show, and when they draw it."""

import copy
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from core.evaluation import Predictions, Report
from core.evaluation.curve_sets import Curve, curves_of
from core.inference.baselines import Compared, compared
from core.inference.samples import Samples
from core.inference.stored import Evaluation
from core.session.evaluation import RunData
from tui.forms.guide.explain import Explanation
from tui.screens.background import Background

__all__ = ["EvaluationTab", "Subject"]


class Subject:
    """An evaluation, its samples and its curves."""

    def __init__(self, evaluation: Evaluation, data: RunData) -> None:
        self.evaluation, self.data = evaluation, data
        self.samples = Samples(data.load, evaluation.split, evaluation.predictions)

    def of_target(self, place: int) -> "Subject":
        """Return the same for one number of several that are predicted."""
        one = copy.copy(self)
        one.evaluation = replace(self.evaluation, predictions=self.predictions.of_target(place))
        return one

    @property
    def predictions(self) -> Predictions:
        return self.evaluation.predictions

    @property
    def report(self) -> Report:
        return self.evaluation.report

    @property
    def class_names(self) -> list[str]:
        """By class number; empty for regression."""
        return self.report.class_names

    @cached_property
    def confusion(self) -> np.ndarray:
        """int64 (classes, classes): rows true, columns predicted."""
        return np.array(self.report.confusion, dtype=np.int64)

    @cached_property
    def beside(self) -> list[Compared]:
        """The simple models beside the run, compared with its network; slow on first use."""
        return compared(self.evaluation)

    @cached_property
    def curves(self) -> list[Curve]:
        """See `core.evaluation.curve_sets.curves_of`; slow on first use."""
        return curves_of(self.predictions, self.report)


class EvaluationTab(Background, Container):
    """One tab; draws when visible, and again only for another subject. Its id is that of a view; see `core.tasks.base`.

    Attributes:
        TITLE: on the tab.
    """

    TITLE: ClassVar[str] = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "focus_first", "Back to the first list", show=False)
    ]

    subject: Subject | None = None

    def action_focus_first(self) -> None:
        """Give the focus back to where it is when the tab is opened."""
        widget = self.main_widget()
        if widget is not None:
            widget.focus()

    def show(self, subject: Subject) -> None:
        """Show an evaluation."""
        if subject is not self.subject:
            self.subject = subject
            self.draw(subject)

    def draw(self, subject: Subject) -> None:
        """Fill the widgets of this tab."""
        raise NotImplementedError

    def main_widget(self) -> Widget | None:
        """Return the widget that gets the focus when the tab is opened."""
        return None

    def explanation(self) -> Explanation | None:
        """Return what there is to say about what has the cursor here."""
        return None
