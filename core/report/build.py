"""From runs to the page: what stands in it, in which order."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.config.schema import to_yaml
from core.errors import TorchtuiError
from core.evaluation import Report
from core.evaluation.curve_sets import curves_of
from core.inference.stored import Evaluation, saved_evaluation
from core.metrics import HEADLINES
from core.report import figures
from core.report.page import details, element, page, picture, table
from core.report.samples import mistakes
from core.runs.comparison import Entry, EntryReader, Score, differences, not_comparable, standings
from core.runs.environment import without_secrets
from core.runs.folder import NAME, Run

__all__ = ["build"]

SPLITS = ("test", "validation")
BY_STEP = " by step"
COLUMNS = 200
"""Curves keep what can be seen on an axis of this many columns."""
MAX_CLASSES = 100
"""Rows of the table of classes."""


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
        tell: told what goes on.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    entries = [EntryReader(run).read() for run in runs]
    several = len(entries) > 1
    title = f"{len(entries)} runs compared" if several else entries[0].run.id
    parts = [element("h1", title), element("p", time.strftime("torchtui, %Y-%m-%d %H:%M"), "quiet")]
    if several:
        tell("comparing")
        parts += _comparison(entries, split or "validation")
    for entry in entries:
        tell(f"drawing {entry.run.id}")
        parts += [element("h2", entry.run.id)] if several else []
        parts += _run(entry, split, data_root)
    return page(title, parts)


def _comparison(entries: Sequence[Entry], split: str) -> list[str]:
    names = [NAME.sub("", entry.run.id) for entry in entries]
    parts = []
    note = not_comparable(entries, split)
    if note:
        parts.append(element("p", f"{note}: their numbers do not compare.", "warning"))
    drawn = []
    for name in ("validation loss", "validation accuracy", "validation r2"):
        if any(len(entry.curves.get(name, ((), ()))[0]) for entry in entries):
            svg = figures.overlay(entries, names, name, "epoch")
            drawn.append(picture(svg, "svg+xml", f"{name} of all runs over the epochs"))
    parts.append(f'<div class="figures">{"".join(drawn)}</div>')
    rows = [row for row in standings(entries, split) if row.leader is not None]
    if rows:
        parts.append(element("h3", f"Final metrics on {split}"))
        best = [(at, 1 + row.leader) for at, row in enumerate(rows) if row.leader is not None]
        cells = [[row.metric.replace("_", " "), *map(_score, row.scores)] for row in rows]
        parts.append(table(["metric", *names], cells, best))
        parts.append(
            element(
                "p",
                "Bold leads. Below each number its 95 % bootstrap interval: leads within it may be chance.",
                "quiet",
            )
        )
    different = differences(entries)
    parts.append(element("h3", "Settings that differ"))
    if different:
        parts.append(
            table(["setting", *names], [[path, *map(_value, values)] for path, values in different.items()])
        )
    else:
        parts.append(element("p", "None: the configurations are the same.", "quiet"))
    return parts


def _run(entry: Entry, split: str, data_root: Path | None) -> list[str]:
    summary = entry.summary
    spent = entry.seconds[1][-1] if len(entry.seconds[1]) else 0.0
    asked = f" of {summary.epochs}" if summary.epochs else ""
    done = f"{summary.status}: {summary.epoch}{asked} epochs in {spent:.1f} s"
    best = f"best epoch {summary.best_epoch}" if summary.best_epoch else ""
    facts = (summary.script, summary.data, summary.model, done, best)
    parts = [element("p", " · ".join(filter(None, facts)))]
    if summary.error:
        parts.append(element("p", summary.error, "warning"))
    evaluation, problem = _evaluation(entry, split)
    parts += _cards(evaluation.report) if evaluation else []
    drawn = [
        picture(figures.train_and_validation(entry, metric), "svg+xml", f"{metric} over the epochs")
        for metric in _drawn(entry)
    ]
    parts += [element("h3", "Curves"), f'<div class="figures">{"".join(drawn)}</div>'] if drawn else []
    if evaluation is not None:
        parts += _evaluated(evaluation, data_root)
    else:
        parts.append(element("p", problem, "quiet"))
    return [*parts, *_made_of(entry)]


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
    what = f"It was not evaluated{f' on {split}' if split else ''}"
    script = entry.summary.script
    return None, f"{what} by {script}." if script else f"{what}: tui evaluate {entry.run.id} does that."


def _cards(report: Report) -> list[str]:
    cards = []
    for name in HEADLINES:
        value = report.metrics.get(name)
        if value is None:
            continue
        low_high = report.intervals.get(name)
        interval = f"95 %: {low_high[0]:.4g} to {low_high[1]:.4g}" if low_high else ""
        texts = element("span", f"{name.replace('_', ' ')}, {report.split}"), element("b", f"{value:.4g}")
        cards.append(f'<div class="card">{"".join(texts)}{element("span", interval)}</div>')
    return [f'<div class="cards">{"".join(cards)}</div>']


def _evaluated(evaluation: Evaluation, data_root: Path | None) -> list[str]:
    report, predictions = evaluation.report, evaluation.predictions
    title = f"Evaluation on {report.split}: {report.n:,} samples, best weights"
    if report.task == "regression":
        kinds = {
            "actual_vs_predicted": "Target and prediction",
            "residual_vs_predicted": "Error by prediction",
        }
        drawn = [
            picture(figures.predicted_numbers(predictions, kind), "svg+xml", text, text)
            for kind, text in kinds.items()
        ]
    else:
        curves = curves_of(predictions, report, COLUMNS)
        drawn = [
            picture(
                figures.confusion(report),
                "svg+xml",
                "Confusion matrix",
                "Confusion matrix: rows true, columns predicted",
            ),
            picture(figures.rocs(curves), "svg+xml", "ROC curves", "ROC, one class against the rest"),
            picture(figures.precision_recalls(curves), "svg+xml", "PR curves", "Precision and recall"),
        ]
        if predictions.probabilities:
            what = "Calibration: how often it is right when it says so"
            drawn.append(picture(figures.calibration(predictions), "svg+xml", "Calibration", what))
    worst = "Largest errors" if report.task == "regression" else "Most confident mistakes"
    return [
        element("h3", title),
        f'<div class="figures">{"".join(drawn)}</div>',
        element("h3", "All metrics"),
        _metrics(report),
        *_classes(report),
        element("h3", worst),
        mistakes(evaluation, data_root),
    ]


def _metrics(report: Report) -> str:
    rows = []
    for name, value in report.metrics.items():
        interval = report.intervals.get(name)
        shown = (
            _score(Score(value, (interval[0], interval[1]) if interval else None))
            if value is not None
            else "–"
        )
        rows.append(
            [
                name.replace("_", " "),
                shown,
                _number(report.baseline.get(name)),
                report.undefined.get(name, ""),
            ]
        )
    reasons = any(row[3] for row in rows)
    head = ["metric", "value", "baseline", *(["why undefined"] if reasons else [])]
    note = element("p", f"Baseline: {report.baseline.get('description', '')}.", "quiet")
    return table(head, [row[: len(head)] for row in rows]) + note


def _classes(report: Report) -> list[str]:
    if not report.per_class:
        return []
    keys = ("precision", "recall", "f1", "support", "roc_auc", "average_precision")
    rows = [[row["name"], *(_number(row[key]) for key in keys)] for row in report.per_class[:MAX_CLASSES]]
    return [
        element("h3", "Classes"),
        table(["class", "precision", "recall", "F1", "support", "ROC AUC", "AP"], rows),
    ]


def _made_of(entry: Entry) -> list[str]:
    """Configuration and environment."""
    run = entry.run
    try:
        settings = run.config_file.read_text() if entry.summary.script else to_yaml(run.config())
    except (TorchtuiError, OSError, ValueError) as error:
        settings = str(error)
    return [
        details("Configuration", element("pre", settings)),
        details("Environment", table(["", ""], _environment(run))),
    ]


def _environment(run: Run) -> list[list[str]]:
    try:
        values: Any = json.loads(run.environment_file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return [["environment.json", "cannot be read"]]
    if not isinstance(values, dict):
        return [["environment.json", "is not what we wrote"]]
    flat = (
        {**values, **(values.pop("packages", None) or {})}
        if isinstance(values.get("packages"), dict)
        else values
    )
    texts = {
        key: list(map(str, value)) if isinstance(value, list) else [str(value)] for key, value in flat.items()
    }
    return [[key, " ".join(without_secrets(words))] for key, words in texts.items() if key != "packages"]


def _score(score: Score | None) -> str:
    if score is None:
        return "–"
    return f"{score.value:.4f}" + (
        f"\n{score.interval[0]:.4f} to {score.interval[1]:.4f}" if score.interval else ""
    )


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "–" if value is None else str(value)


def _value(value: object) -> str:
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
