"""From runs to what ``page.html`` shows of them."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.config.schema import to_yaml
from core.counting import counted
from core.errors import InputError, TorchtuiError
from core.evaluation import Report
from core.evaluation.curve_sets import curves_of
from core.files.atomic import as_usual, write_atomically
from core.files.reading import read_bytes, read_text
from core.inference.baselines import Compared, compared, not_better_than_boosting
from core.inference.stored import Evaluation, saved_evaluation
from core.metrics import HEADLINES, OF_TARGET, UNKNOWN, in_order, label_of, number, signed
from core.palette import MAX_RUNS
from core.remedies import OTHER_FILE
from core.report import figures
from core.report.comparison import comparison_of, score_text
from core.report.media import last_media
from core.report.number_tables import errors, two_classes
from core.report.page import Figure, Table, page
from core.report.samples import mistakes, own_pictures, own_text
from core.runs.comparison.entries import Entry, EntryReader, load_report
from core.runs.comparison.standings import Score
from core.runs.data_facts import kept_warnings
from core.runs.folder import Run
from core.runs.opening import record_test_opening
from core.runs.origin.environment import without_secrets
from core.tasks.registry import task_of

__all__ = ["build", "check_output", "write", "write_page"]

SPLITS = ("test", "validation")
BY_STEP = " by step"
COLUMNS = 200
"""Curves keep what can be seen on an axis of this many columns."""
PACKAGES = ("torchtui", "torch", "torchvision", "numpy", "scikit-learn")
"""Of those that are installed, the ones whose versions the report names."""
MAX_DRAWN = 60
"""Figures of the metrics of a run, each of which takes a fifth of a second."""
MAX_CLASSES = 100
"""Rows of the table of classes."""
NUMBER_FIGURES = {
    "actual_vs_predicted": "Target and prediction",
    "residual_vs_predicted": "Error by prediction",
    "normal_quantiles": "Errors beside normal ones (Q-Q)",
    "by_prediction": "Mean absolute error by prediction, in bins of equally many samples, with 95 % intervals",
    "by_target": "Mean absolute error by target, in bins of equally many samples, with 95 % intervals",
}
"""Of a regression: kind and caption."""

Section = dict[str, Any]
"""What a part of ``page.html`` reads, by name."""


def write(
    runs: Sequence[Run],
    output: Path,
    *,
    split: str = "",
    data_root: Path | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> None:
    """Write the page of one run, or of several, to a file; see `build`.

    Raises:
        InputError: there are too many runs, or the file cannot be written.
    """
    check_output(output)
    if len(runs) > MAX_RUNS:
        raise InputError(f"a report takes up to {MAX_RUNS} runs, got {len(runs)}", "Give fewer")
    if split == "test":
        for run in runs:
            if (evaluated := load_report(run, "test")) is not None:
                record_test_opening(run, evaluated.metrics)
    write_page(output, build(runs, split=split, data_root=data_root, tell=tell))


def check_output(output: Path) -> None:
    """Refuse a path that cannot be a file, before the page is made.

    Raises:
        InputError: it is a folder, or its own folder is not there.
    """
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise InputError(f"{output} cannot be a file", "Give a file name in an existing folder")


def write_page(output: Path, text: str) -> None:
    """Write a page to a file, whole or not at all."""
    content = text.encode(errors="backslashreplace")
    write_atomically(output, lambda file: file.write(content), instead=("give ", OTHER_FILE))
    as_usual(output)


def build(
    runs: Sequence[Run],
    *,
    split: str = "",
    data_root: Path | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> str:
    """The page of one run, or of several with their comparison first.

    Args:
        split: whose evaluation is shown; by default test, or validation where test was not evaluated.
        data_root: folder of downloaded data sets; for the pictures of mistakes.
        tell: called with the current activity.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    entries = [EntryReader(run).read() for run in runs]
    several = len(entries) > 1
    if several:
        tell("comparing")
    comparison = comparison_of(entries, split or "validation") if several else None
    shown = []
    for entry in entries:
        tell(f"drawing {entry.summary.title}")
        shown.append(_run(entry, split, data_root))
    return page(
        title=f"{len(entries)} runs compared"
        if several
        else entries[0].summary.labels.name or entries[0].run.id,
        written=time.strftime("%Y-%m-%d %H:%M"),
        comparison=comparison,
        runs=shown,
    )


def _run(entry: Entry, split: str, data_root: Path | None) -> Section:
    summary = entry.summary
    spent = entry.seconds[1][-1] if len(entry.seconds[1]) else 0.0
    asked = f"{summary.epoch} of " if summary.epochs else ""
    epochs = asked + counted(summary.epochs or summary.epoch, "epoch")
    done = f"{summary.status}: {epochs} in {spent:.1f} s"
    best = f"epoch {summary.best_epoch}, {summary.chosen_by}" if summary.best_epoch else ""
    facts = (summary.script, summary.data, summary.model, done, best)
    evaluation, problem = _evaluation(entry, split)
    drawn = _drawn(entry)
    return {
        "id": entry.run.id,
        "name": summary.labels.name,
        "note": summary.labels.note,
        "tags": " ".join(summary.labels.tags),
        "facts": " · ".join(filter(None, facts)),
        "error": summary.error,
        "warnings": kept_warnings(entry.run),
        "cards": _cards(evaluation.report) if evaluation else [],
        "curves": [
            Figure(
                figures.train_and_validation(entry, metric), "svg+xml", f"{label_of(metric)} over the epochs"
            )
            for metric in drawn[:MAX_DRAWN]
        ],
        "not_drawn": len(drawn[MAX_DRAWN:]),
        "media": last_media(entry.run),
        "evaluation": _evaluated(evaluation, data_root) if evaluation else None,
        "not_evaluated": problem,
        "configuration": _configuration(entry),
        "environment": Table(["", ""], _environment(entry.run)),
    }


def _drawn(entry: Entry) -> list[str]:
    """Metrics with a curve; those by step until an epoch is done."""
    names = [name for name, (x, _) in entry.curves.items() if len(x)]
    metrics = dict.fromkeys(
        name.partition(" ")[2] for name in names if name.startswith(("train ", "validation "))
    )
    return [
        name for name in metrics if not name.endswith(BY_STEP) or name.removesuffix(BY_STEP) not in metrics
    ]


def _evaluation(entry: Entry, split: str) -> tuple[Evaluation | None, str]:
    """The saved evaluation, or why there is none."""
    for name in (split,) if split else SPLITS:
        try:
            found = saved_evaluation(entry.run, name)
        except TorchtuiError as error:
            return None, str(error)
        if found is not None:
            return found, ""
    script = entry.summary.script
    return None, f"It was not evaluated{f' on {split}' if split else ''}{f' by {script}' if script else ''}."


def _cards(report: Report) -> list[Section]:
    cards = []
    for name in in_order(report.metrics, HEADLINES):
        value = report.metrics.get(name)
        if value is None:
            continue
        low_high = report.intervals.get(name)
        interval = f"95 %: {' to '.join(map(number, low_high))}" if low_high else ""
        title = f"{label_of(name)}, {report.split}"
        cards.append({"name": title, "value": number(value), "interval": interval})
    return cards


def _evaluated(evaluation: Evaluation, data_root: Path | None) -> Section:
    report, beside = evaluation.report, compared(evaluation)
    return {
        "title": f"Evaluation on {report.split}: {counted(report.n, 'sample')}, best weights",
        "figures": list(_figures(evaluation)),
        "metrics": _metrics(report),
        "two_classes": two_classes(evaluation),
        "errors": errors(evaluation),
        "baseline": _baseline(report),
        "beside": _beside(beside) if beside else None,
        "boosting": not_better_than_boosting(evaluation, beside),
        "weighting": report.weighting,
        "targets": _targets(report),
        "classes": _classes(report),
        "mistakes": mistakes(evaluation, data_root) if len(evaluation.predictions) else None,
        "text": own_text(evaluation),
    }


def _figures(evaluation: Evaluation) -> Iterator[Figure]:
    report, predictions = evaluation.report, evaluation.predictions
    views = task_of(report.task).views
    if "numbers" in views:
        yield from own_pictures(evaluation)
    if "residuals" in views:
        for place in range(predictions.target_count):
            of = f" of {report.per_target[place]['name']}" if report.per_target else ""
            for kind, text in NUMBER_FIGURES.items():
                drawn = figures.predicted_numbers(predictions.of_target(place), kind)
                yield Figure(drawn, "svg+xml", f"{text}{of}", f"{text}{of}")
    if "confusion" in views:
        caption = "Confusion matrix: rows true, columns predicted"
        yield Figure(figures.confusion(report), "svg+xml", "Confusion matrix", caption)
    if "labels" in views:
        caption = "Labels together: rows true, columns predicted with them; the hits are on the diagonal"
        yield Figure(figures.confusion(report), "svg+xml", "Labels together", caption)
    if "roc" in views:
        curves = curves_of(predictions, report, COLUMNS)
        roc_caption = "ROC, each label" if "labels" in views else "ROC, one class against the rest"
        yield Figure(figures.rocs(curves), "svg+xml", "ROC curves", roc_caption)
        yield Figure(figures.precision_recalls(curves), "svg+xml", "PR curves", "Precision and recall")
    if "calibration" in views and predictions.probabilities:
        what = "share of samples with a label" if "labels" in views else "accuracy"
        caption = f"Calibration: {what} at each predicted probability"
        yield Figure(figures.calibration(predictions), "svg+xml", "Calibration", caption)


def _metrics(report: Report) -> Table:
    rows = []
    for name, value in report.metrics.items():
        interval = report.intervals.get(name)
        score = Score(value, (interval[0], interval[1]) if interval else None) if value is not None else None
        baseline = _number(report.baseline.get(name))
        reason = report.undefined.get(name) or report.no_interval.get(name, "")
        rows.append([report.title_of(name), score_text(score), baseline, reason])
    reasons = any(row[3] for row in rows)
    head = ["metric", "value", "baseline", *(["why none"] if reasons else [])]
    return Table(head, [row[: len(head)] for row in rows])


def _beside(rows: Sequence[Compared]) -> Table:
    """The simple models beside a run, and the network's difference from each."""
    cells = [
        [row.model.title, score_text(Score(row.value, row.interval)), _difference(row), row.model.how]
        for row in rows
    ]
    return Table(["model", label_of(rows[0].metric), "network minus it", "how"], cells)


def _difference(row: Compared) -> str:
    found = row.difference
    if found is None:
        return "–"
    return f"{signed(found.value)}\n{' to '.join(map(signed, found.interval))}"


def _targets(report: Report) -> Table | None:
    rows = [
        [row["name"], *(_of_class(row[key], ends.get(key)) for key in OF_TARGET)]
        for row, ends in zip(report.per_target, report.target_intervals, strict=True)
    ]
    return Table(["target", *map(label_of, OF_TARGET)], rows) if rows else None


def _baseline(report: Report) -> str:
    texts = (str(report.baseline.get("description", "")), report.decision)
    return ". ".join(text for text in texts if text)


def _classes(report: Report) -> Table | None:
    columns = task_of(report.task).class_columns
    ends = report.class_intervals or [{}] * len(report.per_class)
    rows = [
        [row["name"], *(_of_class(row[key], ends[place].get(key)) for key in columns)]
        for place, row in enumerate(report.per_class[:MAX_CLASSES])
    ]
    return Table(["class", *map(label_of, columns)], rows) if rows else None


def _of_class(value: Any, interval: Sequence[float] | None) -> str:
    return (
        score_text(Score(value, (interval[0], interval[1])))
        if value is not None and interval
        else _number(value)
    )


def _configuration(entry: Entry) -> str:
    try:
        return read_text(entry.run.config_file) if entry.summary.script else to_yaml(entry.run.config())
    except (TorchtuiError, OSError, ValueError) as error:
        return str(error)


def _environment(run: Run) -> list[list[str]]:
    try:
        values: Any = json.loads(read_bytes(run.environment_file))
    except (OSError, ValueError, RecursionError):
        return [["environment.json", "cannot be read"]]
    if not isinstance(values, dict):
        return [["environment.json", "was not written by torchtui"]]
    packages = values.pop("packages", None)
    known = packages if isinstance(packages, dict) else {}
    flat = {**values, **{name: known[name] for name in PACKAGES if name in known}}
    texts = {
        key: list(map(str, value)) if isinstance(value, list) else [str(value)] for key, value in flat.items()
    }
    return [[key, " ".join(without_secrets(words))] for key, words in texts.items()]


def _number(value: object) -> str:
    return number(value) if isinstance(value, float) else UNKNOWN if value is None else str(value)
