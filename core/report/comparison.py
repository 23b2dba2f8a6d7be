"""The part of ``page.html`` about several runs: their curves, final metrics and settings side by side."""

from collections.abc import Sequence
from typing import Any

from core.config.formatting import format_setting
from core.metrics import curve_label, label_of, number
from core.report import figures
from core.report.page import Figure, Table
from core.runs.comparison.curves import curve_names
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup, grouped, started_twice
from core.runs.comparison.settings import differences, not_comparable, other_losses, other_thresholds
from core.runs.comparison.standings import PARTS, Score, Standings, standings

__all__ = ["comparison_of", "score_text"]

MAX_CURVES = 4
"""Figures of curves of all runs, each of which takes a fifth of a second."""


def comparison_of(entries: Sequence[Entry], split: str) -> dict[str, Any]:
    """Return what the page shows of several runs; those that differ in their seed alone are one column."""
    groups = grouped(entries)
    names = [_name(group) for group in groups]
    curves = [
        Figure(
            figures.overlay(groups, names, name, "epoch"),
            "svg+xml",
            f"{curve_label(name)} of all runs over the epochs",
        )
        for name in [name for name in curve_names(entries) if name.startswith("validation ")][:MAX_CURVES]
    ]
    rows = [row for row in standings(groups, split) if any(row.scores)]
    cells = [[label_of(row.metric), *(_standing(row, place) for place in range(len(names)))] for row in rows]
    best = {(at, 1 + place) for at, row in enumerate(rows) for place in row.leaders}
    settings = [[path, *map(format_setting, values)] for path, values in differences(groups).items()]
    return {
        "note": not_comparable(entries, split),
        "losses": other_losses(entries),
        "thresholds": other_thresholds(entries, split),
        "curves": curves,
        "split": split,
        "repeated": [_members(group) for group in groups if group.is_repeated],
        "twice": started_twice(groups),
        "untested": ", ".join(label_of(row.metric) for row in rows if not row.is_tested),
        "parts": PARTS if any(score and score.part for row in rows for score in row.scores) else "",
        "metrics": Table(["metric", *names], cells, best) if rows else None,
        "settings": Table(["setting", *names], settings) if settings else None,
    }


def _name(group: RunGroup) -> str:
    name = group.first.summary.title
    return f"{name} ×{len(group.entries)}" if group.is_repeated else name


def _members(group: RunGroup) -> str:
    runs = ", ".join(entry.run.id for entry in group.entries)
    return f"{_name(group)} are the seeds {format_setting(group.seeds)} of one configuration: {runs}"


def _standing(row: Standings, place: int) -> str:
    """A final metric with its interval; marked where it is not clearly worse than the best."""
    return f"≈ {score_text(row.scores[place])}" if place in row.level else score_text(row.scores[place])


def score_text(score: Score | None) -> str:
    """Return a number with its interval, or the deviation over several seeds, below it."""
    if score is None:
        return "–"
    if score.deviation is not None or score.part:
        spread = f"± {number(score.deviation)}" if score.deviation is not None else ""
        return f"{number(score.value)}\n{spread} {score.part}".rstrip()
    return number(score.value) + (f"\n{' to '.join(map(number, score.interval))}" if score.interval else "")
