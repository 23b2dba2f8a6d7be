"""The threshold between two classes of a trained run, or of each label, chosen on validation and kept with it.

Evaluations, predictions and exports made after it use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.dataset import Progress
from core.errors import InputError
from core.evaluation.multilabel.thresholds import decide_labels
from core.evaluation.two_classes.decision import Decision, Rule, choose
from core.evaluation.values import Undefined
from core.evaluation.weighted import ranked_counts
from core.inference.chosen import decision_of, keep_decision, keep_label_decisions, label_decisions_of
from core.inference.stored import Evaluation
from core.runs.folder import Run
from core.session.on_validation import KeptChoice, choose_on_validation

__all__ = ["Decisions", "choose_for_run", "remove_threshold"]


@dataclass(frozen=True)
class Decisions:
    """Thresholds of a run that were chosen by rules: that of the positive class of two, or those of labels, by name.

    Attributes:
        notes: of each label that a rule gives no threshold one line.
    """

    by_name: Mapping[str, Decision]
    notes: tuple[str, ...] = ()
    of_labels: bool = False


def choose_for_run(
    run: Run, rule: Rule, labels: Sequence[str] = (), *, data_root: Path | None, progress: Progress
) -> KeptChoice[Decisions]:
    """Choose thresholds on validation by a rule, keep them with the run, and return what changes.

    Args:
        labels: names of labels that it concerns; by default all. Those of others stay.

    Raises:
        InputError: the run tells neither two classes nor labels apart, or no threshold is as the rule wants it.
        TorchtuiError: it cannot be evaluated, or nothing can be written.
    """

    def decide(evaluation: Evaluation) -> Decisions:
        if evaluation.predictions.has_labels:
            return _of_labels(evaluation, rule, labels)
        return _of_two_classes(evaluation, rule, labels)

    return choose_on_validation(run, decide, _keep, data_root=data_root, progress=progress)


def _of_two_classes(evaluation: Evaluation, rule: Rule, labels: Sequence[str]) -> Decisions:
    report, predictions = evaluation.report, evaluation.predictions
    if not report.positive:
        raise InputError(
            f"{evaluation.run.id} tells neither two classes nor labels apart",
            "A threshold is chosen for the positive class of two, or for each label",
        )
    if labels:
        raise InputError(f"{evaluation.run.id} has two classes, and no labels", "Name no label")
    ranked = ranked_counts(predictions.scores[:, 1], predictions.positive(1), predictions.weights)
    decision = choose(ranked, rule)
    if isinstance(decision, Undefined):
        raise InputError(f"no threshold for the {rule.words} on validation: {decision.reason}")
    return Decisions({report.positive: decision})


def _of_labels(evaluation: Evaluation, rule: Rule, labels: Sequence[str]) -> Decisions:
    names = evaluation.report.class_names
    _check(labels, names)
    places = [place for place, name in enumerate(names) if not labels or name in labels]
    found = decide_labels(evaluation.predictions, rule, places)
    missing = {names[place]: each.reason for place, each in found.items() if isinstance(each, Undefined)}
    if len(missing) == len(found):
        first = next(iter(missing))
        raise InputError(f"no threshold for the {rule.words} on validation: {first}: {missing[first]}")
    chosen = {names[place]: each for place, each in found.items() if isinstance(each, Decision)}
    notes = tuple(f"{name} keeps its threshold: {reason}" for name, reason in missing.items())
    return Decisions({**label_decisions_of(evaluation.run), **chosen}, notes, of_labels=True)


def _keep(run: Run, decisions: Decisions) -> None:
    if decisions.of_labels:
        keep_label_decisions(run, decisions.by_name)
    else:
        keep_decision(run, next(iter(decisions.by_name.values())))


def remove_threshold(run: Run, labels: Sequence[str] = ()) -> bool:
    """Return to the class that scores highest, of labels to the highest F1; return whether there was a threshold.

    Args:
        labels: names of labels that it concerns; by default all.

    Raises:
        InputError: no threshold was chosen for a label.
        RunError: its file cannot be written.
    """
    known = label_decisions_of(run)
    if labels:
        _check(labels, list(known))
        keep_label_decisions(run, {name: each for name, each in known.items() if name not in labels})
        return True
    if not known and decision_of(run) is None:
        return False
    keep_decision(run, None)
    return True


def _check(labels: Sequence[str], names: Sequence[str]) -> None:
    for label in labels:
        if label not in names:
            raise InputError(f"there is no label '{label}'", f"Those there are: {', '.join(names) or 'none'}")
