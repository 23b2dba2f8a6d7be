"""Documents of the evaluation of a run, of where it fails, and of what is chosen for it on validation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.metrics import OF_LABEL_THRESHOLDS, OF_PROBABILITIES, OF_THRESHOLD
from core.runs.folder import Run
from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.evaluation.report import Report
    from core.evaluation.two_classes.decision import Decision, Rule
    from core.evaluation.two_classes.numbers import Number
    from core.inference.stored import Evaluation
    from core.session.failures import Failures
    from core.session.on_validation import KeptChoice
    from core.session.threshold import Decisions

__all__ = [
    "CalibrationDocument",
    "EvaluationDocument",
    "ExplanationDocument",
    "ThresholdDocument",
    "calibration_document",
    "chosen_threshold_document",
    "evaluation_document",
    "explanation_document",
    "removed_calibration_document",
    "threshold_document",
]

Pairs = dict[str, Any]
"""By metric ``before`` and ``after``."""


@dataclass(frozen=True, kw_only=True)
class EvaluationDocument(Document):
    """The numbers of a run on a split; see docs/numbers.md.

    Attributes:
        run: its id. n: samples.
        metrics: null where the data do not define it; `undefined` says why.
        intervals: 95 %, low and high. no_interval: why some metrics have none.
        baseline: a rule that needs no model. baselines: simple models on the same samples, with their differences.
        per_class, class_intervals: of classes. confusion: rows are true classes.
        per_target, target_intervals: of several numbers a sample.
        decision: in words, from where on a sample counts as the positive class, or has a label.
        positive: the positive class of two. two_classes: numbers that only two classes have.
        errors: of numbers, views of the errors of each target.
        thresholds: the points of all curves, thresholds descending; empty for numbers.
    """

    kind = "evaluation"
    run: str
    task: str
    split: str
    n: int
    class_names: list[str]
    metrics: dict[str, float | None]
    undefined: dict[str, str]
    intervals: dict[str, list[float]]
    no_interval: dict[str, str]
    baseline: dict[str, float | str]
    baselines: list[dict[str, Any]]
    per_class: list[dict[str, Any]]
    class_intervals: list[dict[str, list[float]]]
    confusion: list[list[int]]
    per_target: list[dict[str, Any]]
    target_intervals: list[dict[str, list[float]]]
    weighted_by: str
    effective_n: float | None
    groups: int | None
    provisional: bool
    threshold: float | None
    chosen_by: str
    decision: str
    positive: str
    two_classes: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    thresholds: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class ExplanationDocument(Document):
    """Where the model of a run fails on a split.

    Attributes:
        slices: the worst first, each with ``column value samples score rest interval is_worse``.
        importances: of columns, the largest first, each with ``column metric fall deviation``.
        label_errors: indices of samples whose target is probably wrong.
        slices_of, shuffled_in: how many samples were drawn; empty if all were.
    """

    kind = "explanation"
    run: str
    split: str
    slices: list[dict[str, Any]]
    importances: list[dict[str, Any]]
    label_errors: list[int]
    slices_of: str
    shuffled_in: str


@dataclass(frozen=True, kw_only=True)
class CalibrationDocument(Document):
    """The temperature of a run.

    Attributes:
        temperature: null where it was taken back, or there is none.
        validation: metrics of probabilities, each ``before`` and ``after``; empty where it was taken back.
    """

    kind = "calibration"
    run: str
    temperature: float | None
    validation: Pairs


@dataclass(frozen=True, kw_only=True)
class ThresholdDocument(Document):
    """From which score on a sample counts as the positive class, or has a label.

    Attributes:
        threshold: of two classes; null where none was chosen. positive: the class that it is of, where known.
        rule: in words, how it was chosen; null where it was not.
        labels: by label its ``threshold`` and ``rule``. notes: a line for each label that a rule gives no threshold.
        validation: metrics, each ``before`` and ``after``, when one was chosen just now; empty otherwise.
    """

    kind = "threshold"
    run: str
    threshold: float | None
    rule: str | None
    positive: str
    labels: dict[str, dict[str, Any]]
    notes: Sequence[str]
    validation: Pairs


def evaluation_document(evaluation: "Evaluation", numbers: "Sequence[Number]" = ()) -> EvaluationDocument:
    """Return the document of an evaluation.

    Args:
        numbers: that two classes alone have.
    """
    from core.evaluation.error_views import errors_as_dicts
    from core.inference.baselines import as_dict, compared
    from core.inference.operating_points import operating_points

    report, predictions = evaluation.report, evaluation.predictions
    names = [str(row["name"]) for row in report.per_target]
    has_numbers, has_curves = predictions.has_numbers, predictions.has_classes or predictions.has_labels
    return EvaluationDocument(
        run=evaluation.run.id,
        **report.to_dict(),
        baselines=[as_dict(row) for row in compared(evaluation)],
        decision=report.decision,
        positive=report.positive,
        two_classes=[number.as_dict() for number in numbers] if report.positive else [],
        errors=errors_as_dicts(predictions, names) if has_numbers and len(predictions) else [],
        thresholds=operating_points(evaluation) if has_curves else [],
    )


def explanation_document(evaluation: "Evaluation", failures: "Failures") -> ExplanationDocument:
    """Return the document of where a model fails."""
    return ExplanationDocument(
        run=evaluation.run.id,
        split=evaluation.report.split,
        slices=[asdict(one) for one in failures.slices],
        importances=[asdict(one) for one in failures.importances],
        label_errors=evaluation.predictions.indices[failures.label_errors].tolist(),
        slices_of=failures.slices_of,
        shuffled_in=failures.shuffled_in,
    )


def calibration_document(run: Run, calibrated: "KeptChoice[float]") -> CalibrationDocument:
    """Return the document of a temperature that was fitted just now."""
    values = _pairs(OF_PROBABILITIES, calibrated.before, calibrated.after)
    return CalibrationDocument(run=run.id, temperature=calibrated.chosen, validation=values)


def removed_calibration_document(run: Run) -> CalibrationDocument:
    """Return the document of a run that has no temperature any more."""
    return CalibrationDocument(run=run.id, temperature=None, validation={})


def threshold_document(
    run: Run, known: "Decision | None", labels: "Mapping[str, Decision]"
) -> ThresholdDocument:
    """Return the document of what was chosen before; None and nothing where nothing was."""
    return ThresholdDocument(
        run=run.id,
        threshold=None if known is None else known.threshold,
        rule=None if known is None else known.rule.words,
        positive="",
        labels=_by_label(labels),
        notes=(),
        validation={},
    )


def chosen_threshold_document(run: Run, rule: "Rule", choice: "KeptChoice[Decisions]") -> ThresholdDocument:
    """Return the document of thresholds that were chosen just now."""
    before, after, decisions = choice.before, choice.after, choice.chosen
    of_labels = decisions.of_labels
    values = _pairs(OF_LABEL_THRESHOLDS if of_labels else OF_THRESHOLD, before, after)
    if of_labels:
        values["labels"] = {"before": before.per_class, "after": after.per_class}
    else:
        values["confusion"] = {"before": before.confusion, "after": after.confusion}
    positive, decision = ("", None) if of_labels else next(iter(decisions.by_name.items()))
    return ThresholdDocument(
        run=run.id,
        threshold=None if decision is None else decision.threshold,
        rule=rule.words,
        positive=positive,
        labels=_by_label(decisions.by_name) if of_labels else {},
        notes=decisions.notes,
        validation=values,
    )


def _pairs(names: Sequence[str], before: "Report", after: "Report") -> Pairs:
    return {name: {"before": before.metrics.get(name), "after": after.metrics.get(name)} for name in names}


def _by_label(decisions: "Mapping[str, Decision]") -> dict[str, dict[str, Any]]:
    return {name: {"threshold": each.threshold, "rule": each.rule.words} for name, each in decisions.items()}
