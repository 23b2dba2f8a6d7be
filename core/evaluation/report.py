"""The result of an evaluation as plain data, saved as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from core.errors import RunDamaged
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.metrics import OF_CLASS, label_of

MAX_REPORT = 1 << 28
"""Bytes; the counts of a confusion of thousands of classes take most of them."""


@dataclass(frozen=True)
class Report:
    """All numbers of one model on one split.

    Args:
        task: ``binary``, ``multiclass`` or ``regression``.
        split: the part of the data that was evaluated, such as ``test``.
        n: number of samples.
        class_names: names by class number; empty for regression.
        metrics: every metric by name; None where these data do not define it.
        undefined: for each metric that is None one plain sentence that says why.
        intervals: 95 % interval, [low, high], of the metrics that have one.
        baseline: ``description`` of a rule that needs no model, and the metrics it would reach; of the calibration
            error ``ece``, what a calibrated model of the same confidence would have.
        per_class: for each class ``name precision recall f1 support roc_auc average_precision``; None where
            undefined.
        confusion: counts, rows are true classes, columns predicted ones; empty for regression.
        per_target: of a regression of several targets for each ``name r2 mae rmse mape``, in its own unit; None where
            undefined. ``target_intervals``: their 95 % intervals.
        no_interval: for some metrics without an interval one plain sentence that says why.
        weighted_by: what the weights of the samples are called; empty if they have none. The confusion counts samples.
        effective_n: how many samples of equal weight would tell as much; None without weights.
        groups: how many groups the samples come in, so that intervals are those of whole groups; None if they do not.
        provisional: whether its intervals were left out, to be computed from the predictions when it is opened.
        class_intervals: for each class the 95 % intervals of precision, recall, F1 and ROC AUC, as far as known.
        threshold: of two classes the score from which on the positive one is predicted; None where that is the class
            that scores highest. ``chosen_by``: the rule that it, or those of labels, were chosen by on validation.
    """

    task: str
    split: str
    n: int
    class_names: list[str]
    metrics: dict[str, float | None]
    undefined: dict[str, str]
    intervals: dict[str, list[float]]
    baseline: dict[str, float | str]
    per_class: list[dict[str, str | int | float | None]]
    confusion: list[list[int]]
    no_interval: dict[str, str] = field(default_factory=dict)
    class_intervals: list[dict[str, list[float]]] = field(default_factory=list)
    per_target: list[dict[str, str | float | None]] = field(default_factory=list)
    target_intervals: list[dict[str, list[float]]] = field(default_factory=list)
    weighted_by: str = ""
    effective_n: float | None = None
    groups: int | None = None
    provisional: bool = False
    threshold: float | None = None
    chosen_by: str = ""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(allow_inf_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-safe data, without NaN or infinity."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def positive(self) -> str:
        """Return the positive class of two; empty where there are not two."""
        return self.class_names[1] if "precision" in self.metrics and len(self.class_names) == 2 else ""

    def title_of(self, metric: str) -> str:
        """Return what people call a metric, with the class that it is of where it is of one."""
        label = label_of(metric)
        return f"{label} of {self.positive}" if self.positive and metric in OF_CLASS else label

    @property
    def decision(self) -> str:
        """Return from where on a sample counts as the positive class, or has a label; empty where none was chosen."""
        if not self.positive:
            rule = f"labels are given from the threshold of each on (on validation: {self.chosen_by})"
            return rule if self.chosen_by else ""
        if self.threshold is not None:
            rule = f"at a score of {self.threshold:.4g} or more (on validation: {self.chosen_by or 'chosen'})"
        elif self.metrics.get("brier") is not None:
            rule = "at a score of 0.5 or more"
        else:
            rule = "where it scores highest"
        return f"precision, recall and F1 are of {self.positive}, predicted {rule}"

    @property
    def weighting(self) -> str:
        """Return in a phrase how samples are weighted, and their groups; empty if all count alike and are apart."""
        groups = (
            f"intervals are those of {self.groups:,} whole groups" if self.groups and self.intervals else ""
        )
        if self.effective_n is None:
            return groups
        by = f" by {self.weighted_by}" if self.weighted_by else ""
        matrix = "; the confusion matrix counts samples" if self.confusion else ""
        return f"weighted{by}, worth {self.effective_n:,.0f} samples of equal weight{matrix}" + (
            f"; {groups}" if groups else ""
        )

    def without_interval(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the reasons why some of these metrics have no interval, each with the metrics it concerns."""
        reasons: dict[str, list[str]] = {}
        for name in names:
            if name in self.no_interval:
                reasons.setdefault(self.no_interval[name], []).append(name)
        return reasons

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Report":
        """The report that ``to_dict`` described. Unknown keys are ignored.

        Raises:
            ValueError: a field is missing, of another kind, or does not fit the others.
        """
        return _checked(_adapter().validate_python(data))

    def save(self, path: Path) -> None:
        """Write the report as JSON, whole or not at all.

        Raises:
            RunError: the file cannot be written.
        """
        text = json.dumps(self.to_dict(), allow_nan=False)
        write_atomically(Path(path), lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: Path) -> "Report":
        """Read what ``save`` wrote.

        Raises:
            RunDamaged: the file is missing, is not JSON, or does not hold a report.
        """
        try:
            return _checked(_adapter().validate_json(read_bytes(path, limit=MAX_REPORT), strict=True))
        except (OSError, ValueError) as error:
            raise RunDamaged(
                f"the report in {path} cannot be read ({_first_line(error)})",
                "Evaluate the run again to rewrite it",
            ) from error


@cache
def _adapter() -> TypeAdapter[Report]:
    """The reader of reports, which takes longer to make than a report to read."""
    return TypeAdapter(Report)


def _checked(report: Report) -> Report:
    classes = len(report.class_names)
    if [len(row) for row in report.confusion] != [classes] * classes or len(report.per_class) != classes:
        raise ValueError(f"the tables do not fit {classes} classes")
    return report


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)
