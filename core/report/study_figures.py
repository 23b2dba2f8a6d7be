"""Figures of studies: history, slices, parallel coordinates, contour, front, and several studies side by side."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from core.palette import OKABE_ITO
from core.report.figures import SIZE, drawn
from core.report.page import shown
from core.status import has_failed
from core.tuning.search.plan import Plan
from core.tuning.search.space import Choices, Domain
from core.tuning.study.importance import importances, position
from core.tuning.study.records import TrialRecord, best_first, pareto_front
from core.tuning.surface import surface

__all__ = ["STUDY_FIGURES", "spread", "study_figure"]

(
    BLUE,
    ORANGE,
    GREEN,
    *_,
) = (tuple(part / 255 for part in color) for color in OKABE_ITO)
MISTAKE = tuple(part / 255 for part in OKABE_ITO[5])
GREY = "#8a949b"
GRID = (80, 60)
MAX_SLICES = 6
CUT = ("pruned", "paused")


def study_figure(name: str, plan: Plan, records: Sequence[TrialRecord], kind: str = "svg") -> bytes | None:
    """Return a figure of one study; None where there is nothing to draw.

    Args:
        name: a key of `STUDY_FIGURES`. kind: ``svg`` or ``png``.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    ranked = best_first(plan, records)
    draw = STUDY_FIGURES[name]
    if not ranked or (name == "front" and not plan.second):
        return None
    if name == "contour" and (len(plan.space.domains) < 2 or len(ranked) < 3):
        return None
    wide = (SIZE[0] * 1.6, SIZE[1]) if name in ("slices", "parallel") else SIZE
    return drawn(lambda axes: draw(axes, plan, records, ranked), kind=kind, size=wide)


def spread(studies: Sequence[tuple[str, Plan, Sequence[TrialRecord]]], kind: str = "svg") -> bytes:
    """Return the values of all trials of several studies, side by side, with median and best."""

    def draw(axes: Any) -> None:
        for at, (_, plan, records) in enumerate(studies, start=1):
            values = np.array([record.value for record in best_first(plan, records)], dtype=np.float64)
            if not len(values):
                continue
            aside = at + 0.25 * np.sin(np.arange(len(values)) * 2.4)
            axes.plot(aside, values, "o", color=BLUE, markersize=4, alpha=0.7)
            axes.hlines(np.median(values), at - 0.35, at + 0.35, color=GREEN, linewidth=2)
            axes.plot(at, values[0], "*", color=ORANGE, markersize=14)
        axes.set_xticks(range(1, len(studies) + 1), [shown(name) for name, _, _ in studies])
        axes.set(ylabel=f"validation {shown(studies[0][1].metric)}", xlim=(0.4, len(studies) + 0.6))

    return drawn(draw, kind=kind)


def _history(axes: Any, plan: Plan, records: Sequence[TrialRecord], ranked: Sequence[TrialRecord]) -> None:
    known = sorted(ranked, key=lambda record: record.number)
    values = [record.value or 0.0 for record in known]
    best = (np.minimum if plan.direction == "minimize" else np.maximum).accumulate(values)
    numbers = [record.number for record in known]
    cut = [(one.number, one.curve[-1]) for one in records if one.state in CUT and one.curve]
    axes.plot(numbers, values, "o", color=BLUE, markersize=5, label="trial")
    if cut:
        axes.plot(*zip(*cut, strict=True), "D", color=GREY, fillstyle="none", markersize=5, label="pruned")
    for record in records:
        if has_failed(record.state):
            axes.axvline(record.number, color=MISTAKE, linestyle=":", linewidth=1)
    axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    axes.set(xlabel="trial", ylabel=f"validation {shown(plan.metric)}")
    axes.legend(fontsize="small")


def _slices(axes: Any, plan: Plan, records: Sequence[TrialRecord], ranked: Sequence[TrialRecord]) -> None:
    paths = _paths(plan, records)[:MAX_SLICES]
    figure = axes.figure
    axes.remove()
    for at, path in enumerate(paths):
        part = figure.add_subplot(math.ceil(len(paths) / 3), min(3, len(paths)), at + 1)
        domain = plan.space.domains[path]
        for marker, states, color in (("o", ("completed",), BLUE), ("D", CUT, GREY)):
            points = [
                (_place(domain, one.params[path]), one.curve[-1] if states is CUT else one.value)
                for one in records
                if one.state in states
                and path in one.params
                and (one.curve if states is CUT else one.value is not None)
            ]
            if points:
                part.plot(*zip(*points, strict=True), marker, color=color, markersize=4)
        best = ranked[0]
        if path in best.params:
            part.plot(_place(domain, best.params[path]), best.value, "*", color=ORANGE, markersize=12)
        _scale(part, domain)
        part.set(xlabel=shown(path))


def _parallel(axes: Any, plan: Plan, records: Sequence[TrialRecord], ranked: Sequence[TrialRecord]) -> None:
    names = [*_paths(plan, records), *plan.weighed, plan.metric]
    third = max(1, len(ranked) // 3)
    ends = {}
    for name in names:
        if name not in plan.space.domains:
            values = [_value(plan, one, name) for one in ranked]
            ends[name] = (min(values), max(values))
    for at, record in reversed(list(enumerate(ranked))):
        good = at < third
        up = [_height(plan, record, name, ends) for name in names]
        axes.plot(up, color=ORANGE if good else GREY, alpha=0.9 if good else 0.35, linewidth=1)
    for at, name in enumerate(names):
        low, high = ends.get(name) or _ends(plan.space.domains[name])
        axes.axvline(at, color="#1d2328", linewidth=1)
        for place, text in ((-0.06, low), (1.03, high)):
            axes.text(
                at, place, shown(f"{text:.4g}" if isinstance(text, float) else text), ha="center", fontsize=8
            )
    axes.set_xticks(range(len(names)), [shown(name.rpartition(".")[2]) for name in names])
    axes.tick_params(axis="x", pad=14)
    axes.set(yticks=[], ylim=(-0.02, 1.02))
    axes.grid(False)


def _contour(axes: Any, plan: Plan, records: Sequence[TrialRecord], ranked: Sequence[TrialRecord]) -> None:
    across, up = _paths(plan, records)[:2]
    found = surface(plan, records, (across, up), GRID)
    if found is None:
        return
    level = np.where(found.known, found.quarter, np.nan).reshape(GRID[1], GRID[0])
    axes.contourf(
        np.linspace(0, 1, GRID[0]), np.linspace(0, 1, GRID[1]), level, levels=4, cmap="Blues", alpha=0.8
    )
    domains = [plan.space.domains[path] for path in (across, up)]
    for record in found.trials:
        at = [
            position(domain, record.params[path]) for domain, path in zip(domains, (across, up), strict=True)
        ]
        star = record.number == ranked[0].number
        axes.plot(
            *at, "*" if star else "o", color=ORANGE if star else "#1d2328", markersize=13 if star else 3
        )
    for domain, side in zip(domains, ("x", "y"), strict=True):
        places, texts = _ticks(domain)
        getattr(axes, f"set_{side}ticks")(places, [shown(text) for text in texts])
    axes.set(xlabel=shown(across), ylabel=shown(up))
    axes.grid(False)


def _front(axes: Any, plan: Plan, records: Sequence[TrialRecord], ranked: Sequence[TrialRecord]) -> None:
    best = sorted(pareto_front(plan, records), key=lambda one: one.costs[plan.second])
    known = [one for one in records if one.state == "completed" and plan.second in one.costs]
    costs = [one.costs[plan.second] for one in known]
    axes.plot(costs, [one.value for one in known], "o", color=BLUE, markersize=5, label="trial")
    x, y = [one.costs[plan.second] for one in best], [one.value for one in best]
    axes.step(x, y, where="post", color=ORANGE, label="front")
    axes.plot(x, y, "o", color=ORANGE)
    for one in best:
        axes.annotate(
            str(one.number), (one.costs[plan.second], one.value), textcoords="offset points", xytext=(5, 5)
        )
    if min(costs) > 0 and max(costs) > 20 * min(costs):
        _logarithmic(axes)
    axes.set(xlabel=shown(plan.second), ylabel=f"validation {shown(plan.metric)}")
    axes.legend(fontsize="small")


Draw = Callable[[Any, Plan, Sequence[TrialRecord], Sequence[TrialRecord]], None]
STUDY_FIGURES: Final[dict[str, Draw]] = {
    "history": _history,
    "slices": _slices,
    "parallel": _parallel,
    "contour": _contour,
    "front": _front,
}
"""Figures of one study by name."""


def _paths(plan: Plan, records: Sequence[TrialRecord]) -> list[str]:
    """The parameters, the most important one first."""
    shares = importances(plan, records).all.shares
    return sorted(plan.space.domains, key=lambda path: -shares[path].value if path in shares else 0.0)


def _value(plan: Plan, record: TrialRecord, name: str) -> float:
    return (record.value or 0.0) if name == plan.metric else record.costs.get(name, 0.0)


def _height(plan: Plan, record: TrialRecord, name: str, ends: dict[str, tuple[float, float]]) -> float:
    if name in ends:
        low, high = ends[name]
        return (_value(plan, record, name) - low) / (high - low) if high > low else 0.5
    return position(plan.space.domains[name], record.params[name]) if name in record.params else math.nan


def _are_numbers(domain: Domain) -> bool:
    values = domain.values if isinstance(domain, Choices) else (domain.low,)
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _place(domain: Domain, value: Any) -> float:
    if isinstance(domain, Choices) and not _are_numbers(domain):
        return float(domain.values.index(value))
    return float(value)


def _scale(axes: Any, domain: Domain) -> None:
    if isinstance(domain, Choices):
        if not _are_numbers(domain):
            axes.set_xticks(range(len(domain.values)), [shown(str(value)) for value in domain.values])
    elif domain.log:
        _logarithmic(axes)


def _logarithmic(axes: Any) -> None:
    """Numbers of the axis are written out: the usual ones are formulas, which no figure of the report parses."""
    from matplotlib.ticker import NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _ends(domain: Domain) -> tuple[Any, Any]:
    return (domain.values[0], domain.values[-1]) if isinstance(domain, Choices) else (domain.low, domain.high)


def _ticks(domain: Domain) -> tuple[list[float], list[str]]:
    if isinstance(domain, Choices):
        values: Sequence[Any] = domain.values
    elif domain.log:
        values = np.geomspace(domain.low, domain.high, 5).tolist()
    else:
        values = np.linspace(domain.low, domain.high, 5).tolist()
    texts = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in values]
    return [position(domain, value) for value in values], texts
