"""From a study to charts of several numbers at once: front, parallel coordinates, contours, spread of studies."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.runs.history.series import Floats
from core.tuning.search.space import Choices, Domain
from core.tuning.study.importance import position
from core.tuning.surface import LEAST_TRIALS, surface
from tui.charts.parallel_axes import Band, ends_of, value_of
from tui.charts.plot import Chart, Mark, Series
from tui.charts.study import DIMMED, WAITING, are_numbers, is_logarithmic, place_of
from tui.terminal.costs import weighed_text
from tui.terminal.text import clean, number, setting, short_path
from tui.terminal.themes import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord
    from tui.runtime.study_follower import Standing

__all__ = ["axes_of", "contour_chart", "front_chart", "parallel_chart", "selected_trials", "spread_chart"]

MAX_LINES = 100
"""Of parallel coordinates: the best trials."""
WIDE_AXIS = 20.0
"""Costs whose largest is so many times the smallest stand on a logarithmic axis."""
ACROSS, UP = 120, 40
"""Points at which a contour is computed."""
LEVELS = "░▒▓█"
SHADES = ((52, 66, 78), (58, 88, 112), (64, 118, 156), (72, 148, 200))


def front_chart(standing: "Standing", numbers: Collection[int]) -> Chart:
    """Return the metric over the second objective, with the trials that no other beats in both.

    Args:
        numbers: of the trials on the front.
    """
    plan = standing.plan
    known = [
        record
        for record in standing.records
        if record.state == "completed" and record.value is not None and plan.second in record.costs
    ]
    if not known:
        return Chart(empty=WAITING)
    front = sorted((one for one in known if one.number in numbers), key=lambda one: one.costs[plan.second])
    others = [record for record in known if record.number not in numbers]
    costs = [record.costs[plan.second] for record in known]
    marks = [Mark(one.costs[plan.second], one.value, "●", ORANGE, str(one.number)) for one in front]
    return Chart(
        series=(
            Series("others", *_points(plan.second, others), BLUE, "•", "points"),
            Series("front", *_points(plan.second, front), ORANGE, style="steps"),
        ),
        marks=tuple(marks),
        x_label=plan.second,
        log_x=min(costs) > 0 and max(costs) > WIDE_AXIS * min(costs),
        empty=WAITING,
    )


def axes_of(standing: "Standing") -> list[tuple[str, str, str]]:
    """Return name, low end and high end of each axis of parallel coordinates: parameters, costs, the metric."""
    plan, shares = standing.plan, standing.importance.all.shares
    found = []
    for path in sorted(plan.space.domains, key=lambda one: -shares[one].value if one in shares else 0.0):
        domain = plan.space.domains[path]
        ends = (
            (domain.values[0], domain.values[-1])
            if isinstance(domain, Choices)
            else (domain.low, domain.high)
        )
        found.append((path, setting(ends[0]), setting(ends[1])))
    for name in (*plan.weighed, plan.metric):
        values = [
            value for record in standing.records if (value := value_of(plan.metric, record, name)) is not None
        ]
        ends = (min(values), max(values)) if values else (None, None)
        found.append((name, weighed_text(name, ends[0]), weighed_text(name, ends[1])))
    return found


def parallel_chart(
    standing: "Standing", chosen: Collection[int] | None, bands: Mapping[str, Band] | None = None
) -> Chart:
    """Return a line for each trial across all axes, which stand at 1, 2, ...: the best third on top.

    Args:
        chosen: numbers of the trials that are selected; None for all.
        bands: parts of axes by which they are selected, by name.
    """
    names = [name for name, _, _ in axes_of(standing)]
    ranked = _ranked(standing)[:MAX_LINES]
    if not ranked:
        return Chart(empty=WAITING)
    ends = {name: ends_of(standing, name) for name in names if name not in standing.plan.space.domains}
    third = max(1, len(ranked) // 3)
    inside = {record.number for record in ranked if chosen is None or record.number in chosen}
    groups = {
        "not selected": [record for record in ranked if record.number not in inside],
        "others": [record for record in ranked[third:] if record.number in inside],
        "best third": [record for record in ranked[:third] if record.number in inside],
    }
    colors = {"others": DIMMED, "best third": ORANGE}
    lines = [
        Series(name if first else "", *_line(standing, record, names, ends), colors.get(name))
        for name, records in groups.items()
        for first, record in ((at == 0, record) for at, record in enumerate(reversed(records)))
    ]
    axes = [Series("", [at, at], [0.0, 1.0], BLUE) for at in range(1, len(names) + 1)]
    axes += [
        Series("", [at, at], list(bands[name]), GREEN, "┃", "points" if len(set(bands[name])) < 2 else "line")
        for at, name in enumerate(names, start=1)
        if bands and name in bands
    ]
    best = next((record for record in ranked if record.number == standing.best), None)
    star = Mark(len(names), _at(standing, best, names[-1], ends), color=ORANGE) if best else None
    return Chart(
        series=(*lines, *axes),
        marks=(star,) if star and best and best.number in inside else (),
        x_range=(1.0, float(len(names))),
        y_range=(0.0, 1.0),
        x_integer=True,
        empty=WAITING,
    )


def selected_trials(standing: "Standing", ranges: Mapping[str, Mapping[str, Any]]) -> set[int]:
    """Return the numbers of the trials inside all ranges, as `core.tuning.search.ranges.parse_domain` gives them.

    Args:
        ranges: by path, cost or metric.
    """
    return {
        record.number
        for record in standing.records
        if all(
            _inside(value_of(standing.plan.metric, record, name), domain) for name, domain in ranges.items()
        )
    }


def contour_chart(standing: "Standing", across: str, up: str) -> Chart:
    """Return the metric over two parameters, smoothed, brighter where it is better, with the trials on it."""
    plan = standing.plan
    found = surface(plan, standing.records, (across, up), (ACROSS, UP))
    if found is None:
        return Chart(empty=f"waiting for {LEAST_TRIALS} trials with both")
    axes = [plan.space.domains[path] for path in (across, up)]
    titles = ("worst quarter", "", "", "best quarter")
    shades = [
        Series(
            titles[shade],
            _values(axes[0], found.across[here]),
            _values(axes[1], found.up[here]),
            SHADES[shade],
            LEVELS[shade],
            "points",
        )
        for shade in range(4)
        if (here := (found.quarter == shade) & found.known).any()
    ]
    x = [place_of(axes[0], record.params[across]) for record in found.trials]
    y = [place_of(axes[1], record.params[up]) for record in found.trials]
    best = [
        Mark(a, b, color=ORANGE)
        for a, b, one in zip(x, y, found.trials, strict=True)
        if one.number == standing.best
    ]
    return Chart(
        series=(*shades, Series("trial", x, y, GREEN, "•", "points")),
        marks=tuple(best),
        x_label=short_path(across),
        y_label=short_path(up),
        log_x=is_logarithmic(axes[0]),
        log_y=is_logarithmic(axes[1]),
        x_integer=not are_numbers(axes[0]),
        empty=WAITING,
    )


def spread_chart(standings: Sequence["Standing"]) -> Chart:
    """Return the values of the trials of several studies beside each other: studies stand at 1, 2, ..."""
    series: list[Series] = []
    marks: list[Mark] = []
    for at, standing in enumerate(standings, start=1):
        values = sorted(record.value for record in _ranked(standing) if record.value is not None)
        if not values:
            continue
        aside = at + 0.3 * np.sin(np.arange(len(values)) * 2.4)  # so that equal values do not hide each other
        series.append(Series("" if series else "trial", aside, values, BLUE, "•", "points"))
        middle = float(np.median(values))
        series.append(Series("" if len(series) > 1 else "median", [at - 0.4, at + 0.4], [middle] * 2, GREEN))
        best = values[0] if standing.plan.direction == "minimize" else values[-1]
        marks.append(Mark(at, best, color=ORANGE, text=number(best)))
    return Chart(
        series=tuple(series),
        marks=tuple(marks),
        x_range=(0.5, len(standings) + 0.5),
        x_integer=True,
        y_label=clean(standings[0].plan.metric),
        empty=WAITING,
    )


def _points(cost: str, records: Sequence["TrialRecord"]) -> tuple[list[float], list[float]]:
    return [one.costs[cost] for one in records], [one.value or 0.0 for one in records]


def _ranked(standing: "Standing") -> "list[TrialRecord]":
    sign = 1 if standing.plan.direction == "minimize" else -1
    known = [one for one in standing.records if one.state == "completed" and one.value is not None]
    return sorted(known, key=lambda one: (sign * (one.value or 0.0), one.number))


def _inside(value: Any, domain: Mapping[str, Any]) -> bool:
    if "choices" in domain:
        return value in domain["choices"]
    return isinstance(value, int | float) and domain["low"] <= value <= domain["high"]


def _at(
    standing: "Standing", record: "TrialRecord", name: str, ends: Mapping[str, tuple[float, float]]
) -> float:
    value = value_of(standing.plan.metric, record, name)
    if value is None:
        return math.nan
    if name in ends:
        low, high = ends[name]
        return (value - low) / (high - low) if high > low else 0.5
    return position(standing.plan.space.domains[name], value)


def _line(
    standing: "Standing",
    record: "TrialRecord",
    names: Sequence[str],
    ends: Mapping[str, tuple[float, float]],
) -> tuple[Floats, Floats]:
    up = np.array([_at(standing, record, name, ends) for name in names], dtype=np.float64)
    return np.arange(1, len(names) + 1, dtype=np.float64), up


def _values(domain: Domain, places: Floats) -> Floats:
    """Return the values on an axis at some parts of it."""
    if isinstance(domain, Choices):
        if not are_numbers(domain):
            return np.asarray(1 + places * (len(domain.values) - 1))
        marks = np.linspace(0, 1, len(domain.values))
        return np.interp(places, marks, np.array(domain.values, dtype=np.float64))
    if domain.log:
        return np.asarray(domain.low * (domain.high / domain.low) ** places)
    return np.asarray(domain.low + places * (domain.high - domain.low))
