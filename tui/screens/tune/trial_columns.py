"""The table of trials without a screen: its columns, its order, its cells."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from textual.content import Content

from core.counting import counted
from core.runs.labels import title_of
from tui.charts.plot_chart import RGB
from tui.headless.trial_states import state_text
from tui.terminal.costs import weighed_text
from tui.terminal.jobs import jobs_text
from tui.terminal.text import clean, count, duration, fit, number, setting, short_path
from tui.terminal.themes import STATES
from tui.widgets.table import Cell, Column

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord
    from tui.runtime.study_follower import Standing

__all__ = ["TRIAL_STATES", "TrialColumn", "columns_of", "headline", "in_order", "needs_lines"]

TRIAL_STATES = {**STATES, "pruned": ("◇", "#909090")}
"""Symbol and colour of each trial state; the word is always shown beside them."""
WIDEST = 16
WIDEST_STATE = 28
SHORT_NAME = 18
ARROW = 1
"""Room for the sign of the column by which trials are sorted."""


@dataclass(frozen=True)
class TrialColumn:
    """A column, its sort key (None sorts last), and its content.

    Attributes:
        falling: whether the largest value comes first initially.
    """

    column: Column
    value: "Callable[[TrialRecord], Any]"
    cell: "Callable[[TrialRecord], Cell]"
    falling: bool = False


def columns_of(standing: "Standing") -> list[TrialColumn]:
    """Number, state, metric, costs, each parameter, the values at milestones, epochs and time."""
    plan = standing.plan
    fixed = [
        TrialColumn(
            Column("trial", 7),
            lambda record: record.number,
            lambda record: f"{_sign(standing, record.number)}{record.number}",
            falling=True,
        ),
        _state_column(standing),
        TrialColumn(
            Column(plan.metric, max(8, cell_len(plan.metric) + ARROW)),
            lambda record: record.value,
            lambda record: number(record.value),
            falling=plan.direction == "maximize",
        ),
    ]
    rest = [
        TrialColumn(Column("epochs", 7), lambda record: record.epochs, lambda record: str(record.epochs)),
        TrialColumn(
            Column("time", 6), lambda record: record.seconds or None, lambda record: _seconds(record.seconds)
        ),
    ]
    costs = [_cost(name) for name in plan.weighed]
    rungs = [_milestone(standing, epochs) for epochs in _milestones(standing)]
    parameters = [_parameter(standing, path) for path in plan.space.domains]
    return [*fixed, *costs, *parameters, *rungs, *rest]


def _sign(standing: "Standing", number: int) -> str:
    """Mark the best trial, those on the front, and those that are not clearly worse than the best."""
    level = standing.selection.level if standing.selection else ()
    if number == standing.best:
        return "★ "
    return "● " if number in standing.front else "≈ " if number in level and not standing.front else ""


def _cost(name: str) -> TrialColumn:
    return TrialColumn(
        Column(name, max(10, cell_len(name) + ARROW)),
        lambda record: record.costs.get(name),
        lambda record: weighed_text(name, record.costs.get(name)),
    )


def _milestones(standing: "Standing") -> list[int]:
    """Return the epochs after which trials of a study pause; those of all brackets."""
    plan = standing.plan
    numbers = {record.number for record in standing.records} if plan.pauses else set()
    return sorted({epochs for number in numbers for epochs in plan.milestones(number)})


def _milestone(standing: "Standing", epochs: int) -> TrialColumn:
    """Best value of each trial up to a milestone that it has reached."""
    from core.tuning.search.milestones import best_so_far

    way = standing.plan.direction

    def value(record: "TrialRecord") -> float | None:
        found = best_so_far(record.curve[:epochs], way) if len(record.curve) >= epochs else math.nan
        return None if math.isnan(found) else found

    title = counted(epochs, "epoch")
    return TrialColumn(
        Column(title, max(9, cell_len(title) + ARROW)),
        value,
        lambda record: "" if (known := value(record)) is None else number(known),
        falling=way == "maximize",
    )


def in_order(records: "Iterable[TrialRecord]", column: TrialColumn, falling: bool) -> "list[TrialRecord]":
    """Trials sorted by a column; those without a value stand last, equal ones newest first."""
    newest = sorted(records, key=lambda record: -record.number)
    keyed = [(column.value(record), record) for record in newest]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=falling)
    return [record for _, record in known] + [record for value, record in keyed if value is None]


def _parameter(standing: "Standing", path: str) -> TrialColumn:
    title = short_path(path)
    widest = max((cell_len(setting(record.params.get(path))) for record in standing.records), default=0)

    def value(record: "TrialRecord") -> Any:
        found = record.params.get(path)
        if found is None:
            return None
        # Lists by their sum: a larger network stands after a smaller one. Words stand after all numbers.
        size = sum(found) if isinstance(found, list) else found
        return (1, 0, size) if isinstance(size, str) else (0, size, "")

    return TrialColumn(
        Column(title, min(WIDEST, max(6, cell_len(title) + ARROW, widest))),
        value,
        lambda record: setting(record.params.get(path)),
    )


def _state_column(standing: "Standing") -> TrialColumn:
    """Return the state of each trial; one that has not begun says for what it waits."""
    waiting, needs = _waiting(standing)
    widest = max((cell_len(state_text(record)) for record in standing.records), default=0)
    usual = max(22 if standing.plan.pauses else 13, min(WIDEST_STATE, widest + len("● ")))
    wide = max(usual, cell_len(needs) + len("○ waits for ")) if waiting else usual

    def cell(record: "TrialRecord") -> Cell:
        if record.number in waiting and not record.rests:
            sign, color = TRIAL_STATES["pending"]
            return f"{sign} waits for {needs}", _rgb(color)
        sign, color = TRIAL_STATES[record.state]
        return f"{sign} {state_text(record)}", _rgb(color)

    return TrialColumn(Column("state", wide, "<"), lambda record: record.state, cell)


def _waiting(standing: "Standing") -> tuple[tuple[int, ...], str]:
    """Return the trials that wait for resources, and for which."""
    known = standing.resources
    return (known.waiting, clean(known.needs)) if known is not None else ((), "")


def _resources(standing: "Standing") -> str:
    """Return what is free where trials train, and who waits for more; empty where that is not known."""
    waiting, needs = _waiting(standing)
    if standing.resources is None:
        return ""
    who = f"trial {waiting[0]} waits" if len(waiting) == 1 else f"{len(waiting)} trials wait"
    return clean(standing.resources.free) + (f", {who} for {needs}" if waiting else "")


def _seconds(seconds: float) -> str:
    return "–" if not seconds else f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _rgb(color: str) -> RGB:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def headline(standing: "Standing", *, roomy: bool, method: bool = True) -> Content:
    """Return one line about a study: its name, its status, trials done, the best one, time left.

    Args:
        roomy: in full. method: with the method and what the best value is; else short, for small screens.
    """
    sign, color = TRIAL_STATES[standing.status]
    total = f"/{count(standing.plan.trials)}" if standing.plan.trials else ""
    title = clean(title_of(standing.folder.path))
    parts: list[Content | str | tuple[str, str]] = [
        (title if method else fit(title, min(SHORT_NAME, cell_len(title))), "bold"),
        (f"  {sign} ", color),
        (standing.status, color),
        f"  {count(standing.done)}{total}{' trials' if roomy else ''}",
    ]
    best = next((record for record in standing.records if record.number == standing.best), None)
    if best is not None:
        value = number(best.value)  # on small screens the table below says of which trial and metric
        text = f"{standing.plan.metric} {value} in trial {best.number}" if method else value
        parts += [("  ★ ", "$warning"), text]
    if standing.plan.pruned_by_epoch and roomy:
        from core.tuning.study.records import epochs_spent

        spent, saved = epochs_spent(standing.plan, standing.records)
        parts.append(f"  epochs {count(spent)} spent, {count(saved)} saved")
    if free := _resources(standing):
        waits = standing.resources is not None and standing.resources.waiting
        parts += ["  Ray: ", (free, "$text-warning" if waits else "$foreground 60%")]
    left = _seconds_left(standing)
    if standing.status == "running" and left is not None:
        parts.append((f"  {duration(left)} left", "$foreground 60%"))
    if standing.status == "pending" or (standing.jobs and standing.active and method):
        parts.append((f"  {clean(jobs_text(standing.jobs, time.time()))}", "$foreground 60%"))
    elif told := standing.problem or standing.lost:
        parts.append((f"  ✗ {clean(told)}", "$text-error"))
    elif method:
        pruner = f", {standing.plan.pruner} pruning" if standing.plan.pruner != "none" else ""
        parts.append((f"  {standing.plan.method}{pruner}", "$foreground 60%"))
    return Content.assemble(*parts)


def needs_lines(standing: "Standing") -> bool:
    """Return whether the line about a study tells of trouble or of a queue, which is to be read to its end."""
    told = standing.problem or standing.lost or standing.resources is not None
    return bool(told or standing.status == "pending")


def _seconds_left(standing: "Standing") -> float | None:
    """Estimate the time left from the trials so far, the number running at once, and the limits."""
    from core.tuning.study.stopping import seconds_left

    return seconds_left(
        standing.plan,
        standing.records,
        session=sum(record.rests and record.started >= standing.since for record in standing.records),
        at_once=max(1, standing.counts["running"]),
        until_end=None if standing.ends is None else standing.ends - time.time(),
    )
