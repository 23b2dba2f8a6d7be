"""From a study to its charts: pure functions."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len
from textual.content import Content

from core.counting import counted
from core.runs.history.series import Floats, Points
from core.status import has_failed
from core.tuning.search.space import Choices, Domain
from tui.charts.plot import Chart, Mark, Series
from tui.charts.series import range_of
from tui.terminal.text import fit, number, setting, short_path, wrapped
from tui.terminal.themes import BLUE, GREEN, MISTAKE, ORANGE, PINK

if TYPE_CHECKING:
    from core.tuning.study.importance import Importances, PathImportance
    from core.tuning.study.records import TrialRecord
    from tui.runtime.study_follower import Standing

__all__ = [
    "DIMMED",
    "WAITING",
    "are_numbers",
    "best_chart",
    "curves_chart",
    "importance_lines",
    "is_logarithmic",
    "place_of",
    "places",
    "slice_chart",
]

MAX_CURVES = 28
"""Maximum number of curves, the newest ones: more are unreadable and slow."""
DIMMED = (122, 92, 30)
"""Orange of curves that are not the best one."""
CUT = ("pruned", "paused")
WAITING = "waiting for the first trial"


def best_chart(standing: "Standing", log_y: bool) -> Chart:
    """The metric of every completed trial, and the best one so far."""
    completed = [record for record in standing.records if record.state == "completed"]
    known = [(record.number, record.value) for record in completed if record.value is not None]
    if not known:
        return Chart(empty=WAITING)
    best: list[float] = []
    for _, value in known:
        better = not best or standing.plan.better(value, best[-1])
        best.append(value if better else best[-1])
    numbers, values = [at for at, _ in known], [value for _, value in known]
    last = max((record.number for record in standing.records), default=0)
    steps = Series("best so far", _array([*numbers, last]), _array([*best, best[-1]]), ORANGE, style="steps")
    points = Series("trial", _array(numbers), _array(values), BLUE, "•", "points")
    cut = [(record.number, _reached(record)) for record in standing.records if record.state in CUT]
    cut = [(at, value) for at, value in cut if math.isfinite(value)]
    pruned = Series(
        _cut_name(standing),
        _array([at for at, _ in cut]),
        _array([value for _, value in cut]),
        None,
        "◇",
        "points",
    )
    failed = [
        Mark(record.number, symbol="✗", color=MISTAKE)
        for record in standing.records
        if has_failed(record.state)
    ]
    return Chart(
        series=(*([pruned] if cut else []), points, steps),
        marks=(*failed, *_stars(known, standing.best)),
        log_y=log_y,
        x_range=(0.0, float(max(1, last))),
        x_integer=True,
        empty=WAITING,
    )


def _cut_name(standing: "Standing") -> str:
    """Return what the trials are that have not come to their end."""
    states = {record.state for record in standing.records}
    return " or ".join(state for state in CUT if state in states)


def _reached(record: "TrialRecord") -> float:
    """Return the last value of a trial; NaN if it has none."""
    known = [value for value in record.curve if math.isfinite(value)]
    return known[-1] if known else math.nan


def curves_chart(standing: "Standing", log_y: bool, chosen: int | None) -> Chart:
    """The metric over the epochs of every trial: pruned ones quiet, the best one and the selected one on top."""
    newest = [record for record in standing.records if any(map(math.isfinite, record.curve))]
    shown = newest[-MAX_CURVES:]
    shown += [record for record in newest[:-MAX_CURVES] if record.number in (standing.best, chosen)]
    groups: dict[str, list[TrialRecord]] = {
        name: [] for name in ("pruned", "paused", "done", "running", "chosen", "best")
    }
    for record in shown:
        groups[_group(record, standing.best, chosen)].append(record)
    colors = {"paused": PINK, "done": DIMMED, "running": GREEN, "chosen": BLUE, "best": ORANGE}
    series = [
        Series(name if first else "", *_points(record), colors.get(name))
        for name, records in groups.items()
        for first, record in ((index == 0, record) for index, record in enumerate(records))
    ]
    last = max((len(record.curve) for record in shown), default=1)
    return Chart(
        series=tuple(series),
        log_y=log_y,
        y_range=range_of(_array(record.curve) for record in shown if not has_failed(record.state)),
        x_range=(min(1.0, last - 1.0), float(last)),
        x_integer=True,
        empty="waiting for the first epoch",
    )


def slice_chart(standing: "Standing", path: str, log_y: bool) -> Chart:
    """The metric of completed trials against one parameter; values that are not numbers are placed at 1, 2, ..."""
    domain = standing.plan.space.domains[path]
    found = [
        (place_of(domain, record.params[path]), record.value, record.number)
        for record in standing.records
        if record.state == "completed" and record.value is not None and path in record.params
    ]
    cut = [
        (place_of(domain, record.params[path]), _reached(record))
        for record in standing.records
        if record.state in CUT and path in record.params
    ]
    pruned = Series("", _array([x for x, _ in cut]), _array([y for _, y in cut]), None, "◇", "points")
    numbers = are_numbers(domain)
    ends = (0.5, len(domain.values) + 0.5) if isinstance(domain, Choices) and not numbers else (None, None)
    points = Series(
        "trial", _array([x for x, _, _ in found]), _array([y for _, y, _ in found]), BLUE, "•", "points"
    )
    star = [Mark(x, y, color=ORANGE) for x, y, trial in found if trial == standing.best]
    return Chart(
        series=(*([pruned] if cut and found else []), *([points] if found else [])),
        marks=tuple(star),
        log_x=is_logarithmic(domain),
        log_y=log_y,
        x_range=ends,
        x_integer=not numbers,
        empty=WAITING,
    )


def places(domain: Domain) -> str:
    """Return the meaning of the places 1, 2, ... of a slice; empty where the axis shows it."""
    if are_numbers(domain) or not isinstance(domain, Choices):
        return ""
    return "  ".join(f"{place} {setting(value)}" for place, value in enumerate(domain.values, start=1))


def importance_lines(found: "Importances", width: int) -> Content:
    """Return a bar per parameter over all trials, then those over the good ones, the most important one first.

    Each bar is full up to the low end of its interval, and lighter up to the high one.
    """
    parts = [("all", found.all), ("better half", found.good)]
    lines = []
    for title, part in parts:
        if not part.shares and title != "all":
            continue
        note = "" if part.shares else f": {part.reason}"
        said = wrapped(f"{title}, {counted(part.trials, 'trial')}{note}", width)
        lines += [Content.styled(line, "$foreground 60%") for line in said]
        lines += _bars(part, width)
    return Content("\n").join(lines)


def _bars(found: "PathImportance", width: int) -> list[Content]:
    labels = {path: short_path(path) for path in found.shares}
    room = min(max(map(cell_len, labels.values()), default=0), width // 3)
    bars = max(1, width - room - len("   100 %  100–100"))
    lines = []
    for path, share in found.shares.items():
        sure, most, end = (min(bars, round(bars * part)) for part in (share.low, share.value, share.high))
        bar = (
            ("━" * min(sure, most), "$primary"),
            ("━" * max(0, most - sure), "$primary 60%"),
            ("╌" * max(0, end - most), "$primary 60%"),
            ("─" * (bars - max(end, most)), "$foreground 15%"),
        )
        ends = f"{100 * share.low:.0f}–{100 * share.high:.0f}"
        text = f" {100 * share.value:3.0f} %  {ends:>7}"
        lines.append(Content.assemble(f"{fit(labels[path], room)}  ", *bar, text))
    return lines


def _group(record: "TrialRecord", best: int | None, chosen: int | None) -> str:
    if record.number == best:
        return "best"
    if record.number == chosen:
        return "chosen"
    return {"completed": "done", "running": "running", "paused": "paused"}.get(record.state, "pruned")


def _points(record: "TrialRecord") -> Points:
    return _array(range(1, len(record.curve) + 1)), _array(record.curve)


def _array(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _stars(known: Sequence[tuple[int, float]], best: int | None) -> tuple[Mark, ...]:
    return tuple(Mark(at, value, color=ORANGE, text=number(value)) for at, value in known if at == best)


def place_of(domain: Domain, value: Any) -> float:
    """Return the position of a value on its axis."""
    if are_numbers(domain):
        return float(value)
    return float(domain.values.index(value) + 1) if isinstance(domain, Choices) else math.nan


def are_numbers(domain: Domain) -> bool:
    """Return whether the values of a parameter stand on an axis by their size."""
    if not isinstance(domain, Choices):
        return True
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in domain.values)


def is_logarithmic(domain: Domain) -> bool:
    """Return whether its axis is logarithmic: also that of choices that double or grow tenfold."""
    if not isinstance(domain, Choices):
        return domain.log
    return are_numbers(domain) and min(domain.values) > 0 and max(domain.values) >= 8 * min(domain.values)
