"""Tables of the numbers that two classes alone have, and of the errors of predicted numbers."""

from core.evaluation.error_views import errors_as_dicts
from core.evaluation.two_classes.numbers import two_class_numbers
from core.inference.stored import Evaluation
from core.report.comparison import score_text
from core.report.page import Table
from core.runs.comparison.standings import Score

__all__ = ["errors", "two_classes"]


def two_classes(evaluation: Evaluation) -> Table | None:
    """Return the numbers of the positive class; None where there is none."""
    if not evaluation.report.positive:
        return None
    rows = []
    for each in two_class_numbers(evaluation.predictions):
        ends = (each.interval[0], each.interval[1]) if each.interval else None
        score = Score(each.value, ends) if each.value is not None else None
        at = "" if each.at is None else f"{each.at:.4g}"
        rows.append([each.title, score_text(score), at, each.reason])
    return Table([f"of {evaluation.report.positive}", "value", "at a score of", "why no interval"], rows)


def errors(evaluation: Evaluation) -> Table | None:
    """Return median and largest error of each target; None where no numbers are predicted."""
    predictions = evaluation.predictions
    if not predictions.has_numbers or not len(predictions):
        return None
    names = [str(row["name"]) for row in evaluation.report.per_target]
    rows = []
    for each in errors_as_dicts(predictions, names):
        ends, largest = each["median_interval"], each["largest"]
        median = Score(each["median_absolute_error"], (ends[0], ends[1]) if ends else None)
        where = f"sample {largest['index']}: target {largest['target']:.4g}, predicted {largest['prediction']:.4g}"
        rows.append([each["target"], score_text(median), f"{abs(largest['error']):.4g}", where])
    return Table(["target", "median error", "largest error", "of"], rows)
