"""The threshold between two classes of a trained run, chosen on validation and kept with it.

Evaluations, predictions and exports made after it use it.
"""

from dataclasses import dataclass
from pathlib import Path

from core.data.dataset import Progress
from core.errors import InputError
from core.evaluation.report import Report
from core.evaluation.two_classes.decision import Decision, Rule, choose
from core.evaluation.values import Undefined
from core.evaluation.weighted import ranked_counts
from core.inference.chosen import decision_of, keep_decision
from core.inference.stored import Evaluation
from core.runs.folder import Run
from core.session.evaluation import evaluate_run

__all__ = ["Chosen", "choose_for_run", "remove_threshold"]


@dataclass(frozen=True)
class Chosen:
    """A threshold, and reports of validation `before` and `after` it."""

    decision: Decision
    before: Report
    after: Report


def choose_for_run(run: Run, rule: Rule, *, data_root: Path | None, progress: Progress) -> Chosen:
    """Choose a threshold on validation by a rule, keep it with the run, and return what changes.

    Raises:
        InputError: the run does not tell two classes apart, or no threshold is as the rule wants it.
        TorchtuiError: it cannot be evaluated, or nothing can be written.
    """
    before = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    _check(before)
    given = before.predictions
    decision = choose(ranked_counts(given.scores[:, 1], given.positive(1), given.weights), rule)
    if isinstance(decision, Undefined):
        raise InputError(f"no threshold for the {rule.words} on validation: {decision.reason}")
    keep_decision(run, decision)
    after = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    return Chosen(decision, before.report, after.report)


def remove_threshold(run: Run) -> bool:
    """Return to the class that scores highest; return whether there was a threshold.

    Raises:
        RunError: its file cannot be written.
    """
    if decision_of(run) is None:
        return False
    keep_decision(run, None)
    return True


def _check(evaluation: Evaluation) -> None:
    if not evaluation.report.positive:
        raise InputError(
            f"{evaluation.run.id} does not tell two classes apart",
            "A threshold is chosen for two classes; those of labels are chosen by themselves",
        )
