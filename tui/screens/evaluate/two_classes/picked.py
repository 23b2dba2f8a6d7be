"""A threshold picked on a ROC or PR curve: which point was meant, and the question before it is kept."""

import math

import numpy as np

from core.data.dataset import Progress
from core.evaluation.curve_sets import Curve, Point
from core.evaluation.two_classes.decision import Rule
from core.evaluation.values import Floats
from core.inference.chosen import label_decisions_of
from core.session.threshold import choose_for_run, remove_threshold
from tui.forms.remedies import error_in_app
from tui.screens.dialogs import Ask
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.evaluate.threshold import ThresholdTab
from tui.terminal.text import amount, clean, number

__all__ = ["PicksThreshold", "nearest_place"]


def nearest_place(line: tuple[Floats, Floats], x: float, y: float) -> int:
    """Return the place on a line that is nearest to a point; of equally near ones the first.

    Args:
        line: x and y, shape (k,) each, 0 to 1.
    """
    return int(np.argmin((line[0] - x) ** 2 + (line[1] - y) ** 2))


class PicksThreshold(EvaluationTab):
    """Base of tabs on whose curves a threshold is picked."""

    def why_not(self, curve: Curve) -> str:
        """Return why the point of a curve cannot become the threshold of the run; empty if it can."""
        subject = self.subject
        if subject is None or curve.thresholds is None:
            return "A mean of curves has no thresholds: choose one class."
        if subject.evaluation.split != "validation":
            return "A threshold is chosen on validation, so that test stays unseen. Press v for validation."
        if subject.predictions.has_labels or curve.name == subject.report.positive:
            return ""
        if subject.report.positive:
            return f"The threshold is that of the positive class: choose {clean(subject.report.positive)}."
        return "Of more than two classes the one that scores highest is predicted, without a threshold."

    def ask_to_keep(self, curve: Curve, point: Point) -> None:
        """Show what a threshold does, and keep it with the run once it is confirmed; or take back the kept one."""
        subject, problem = self.subject, self.why_not(curve)
        if not problem and (point.threshold is None or not math.isfinite(point.threshold)):
            problem = "This point predicts the class of no sample: move along the curve first."
        if problem or subject is None or point.threshold is None:
            self.notify(problem, severity="warning", markup=False)
            return
        run, of_labels = subject.evaluation.run, subject.predictions.has_labels

        def kept(progress: Progress) -> str:
            known = label_decisions_of(run).get(curve.name) if of_labels else None
            return subject.report.chosen_by if not of_labels else known.rule.words if known else ""

        def ask(words: str) -> None:
            answers = {"keep": "Keep it"} | ({"undo": "Undo the kept one"} if words else {})
            dialog = Ask(_question(curve, point, words), answers | {"stay": "Not now"})
            self.app.push_screen(dialog, lambda answer: self._keep(subject, curve.name, point, answer))

        self.in_background("kept", kept, ask, self._failed)

    def _keep(self, subject: Subject, name: str, point: Point, answer: str | None) -> None:
        if answer not in ("keep", "undo") or point.threshold is None:
            return
        run, root, threshold = subject.evaluation.run, subject.data.root, point.threshold
        labels = [name] if subject.predictions.has_labels else []

        def keep(progress: Progress) -> None:
            if answer == "keep":
                choose_for_run(
                    run, Rule("given", threshold=threshold), labels, data_root=root, progress=progress
                )
            else:
                remove_threshold(run, labels)

        def done(nothing: None) -> None:
            self.post_message(ThresholdTab.Changed(run))

        self.in_background("keep", keep, done, self._failed)

    def _failed(self, error: Exception) -> None:
        self.notify(clean(error_in_app(error)), severity="error", markup=False)


def _question(curve: Curve, point: Point, words: str) -> str:
    counts = ""
    if point.tp is not None and point.fp is not None:
        counts = f"; {amount(curve.positives - point.tp)} missed, {amount(point.fp)} false"
    return (
        f"Predict {curve.name} from a score of {number(point.threshold)} on? On validation: precision "
        f"{number(point.precision)}, recall {number(point.recall)}, F1 {number(point.f1)}{counts}. "
        f"Now: {words or 'as the scores say, without a chosen threshold'}. Evaluate, predict and export use it."
    )
