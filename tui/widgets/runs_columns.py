"""The columns of a table of runs: content, order, and which of them fit in a width."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from core.metrics import label_of
from core.runs.summary import RunSummary, began
from core.tasks.registry import TASKS
from tui.terminal.run_names import short_name
from tui.terminal.text import UNKNOWN, age, number, of, si
from tui.terminal.themes import STATES

__all__ = ["COLUMNS", "GAP", "Column", "lay_out", "monitored", "score"]

SCORES = tuple(dict.fromkeys(task.score for task in TASKS.values() if not task.own_step))
"""Scores of all tasks; a run has one of them."""

GAP: Final = 2
MONITORED: Final = "monitored"
TEST: Final = "test"
STATUS_ORDER: Final = (
    "preparing",
    "running",
    "paused",
    "interrupted",
    "failed",
    "diverged",
    "damaged",
    "stopped",
    "completed",
)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        value: its sort key: numbers or texts, None for unknown.
        show: the text of a cell, given the current time; it may contain anything.
        width: cells; the run's name takes what is left over, too.
        rank: columns of a low rank get their place first.
        falling: whether the largest value comes first when the column is chosen.
    """

    name: str
    width: int
    rank: int
    value: Callable[[RunSummary], Any]
    show: Callable[[RunSummary, float], str]
    align: Literal["<", ">"] = "<"
    falling: bool = False


@lru_cache(maxsize=8)
def lay_out(
    width: int, name_width: int, monitored: bool = False, tested: bool = False
) -> tuple[tuple[Column, int], ...]:
    """The columns that fit into `width` cells, in their order, with the width of each.

    Args:
        name_width: of the longest short name of a run; names get that much, if it is not too large a part, before
            the other columns get their places.
        monitored: whether some run monitors a metric that has no column of its own.
        tested: whether the test split of some run was opened.
    """
    spare_for_name = max(0, min(name_width, width // 8) - COLUMNS["run"].width)
    room = width - spare_for_name
    chosen = []
    for column in sorted(COLUMNS.values(), key=lambda column: column.rank):
        if (column.name == MONITORED and not monitored) or (column.name == TEST and not tested):
            continue
        if room < column.width:
            break
        chosen.append(column)
        room -= column.width + GAP
    spare = max(0, room + GAP) + spare_for_name
    return tuple(
        (column, column.width + (min(spare, LONGEST_NAME - column.width) if column.name == "run" else 0))
        for column in COLUMNS.values()
        if column in chosen
    )


def score(metrics: dict[str, Any]) -> tuple[str, float] | None:
    """Return the score of the task, such as accuracy, with its value."""
    for name in SCORES:
        value = _number(metrics.get(name))
        if value is not None:
            return name, value
    return None


def _number(value: object) -> float | None:
    """Return a value from a file, which may contain anything, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _setting(section: str, field: str) -> Callable[[RunSummary], Any]:
    return lambda summary: summary.config.get(section, {}).get(field)


def _numeric(name: str, width: int, rank: int, value: Callable[[RunSummary], Any], **options: Any) -> Column:
    def known(summary: RunSummary) -> float | None:
        return _number(value(summary))

    def show(summary: RunSummary, now: float) -> str:
        found = known(summary)
        return UNKNOWN if found is None else f"{found:g}"

    return Column(name, width, rank, known, options.pop("show", show), ">", **options)


def _text(name: str, width: int, rank: int, value: Callable[[RunSummary], Any]) -> Column:
    def shown(summary: RunSummary, now: float = 0.0) -> str:
        return str(value(summary) or UNKNOWN)

    return Column(name, width, rank, lambda summary: shown(summary).casefold(), shown)


def _score_of(metrics: Callable[[RunSummary], dict[str, Any]]) -> dict[str, Any]:
    def value(summary: RunSummary) -> float | None:
        found = score(metrics(summary))
        return found[1] if found else None

    def show(summary: RunSummary, now: float) -> str:
        found = score(metrics(summary))
        if found is None:
            return UNKNOWN
        name = label_of(found[0]).partition(" (")[0].split()[-1]  # F1, IoU: there are 8 cells
        digits = 3 if len(name) < 3 else 2
        return number(found[1]) if found[0] == "accuracy" else f"{name} {number(found[1], digits)}"

    return {"value": value, "show": show, "falling": True}


def monitored(summary: RunSummary) -> tuple[str, float] | None:
    """Return the monitored metric of the best epoch with its value, where it is another than those with a column.

    Of a script that says none, the first of its own beside the loss counts.
    """
    name = summary.monitor
    if name == "loss" and summary.script and score(summary.metrics) is None:
        name = next((own for own in summary.metrics if own != "loss"), name)
    if name in ("loss", *SCORES):
        return None
    value = _number(summary.metrics.get(name))
    return None if value is None else (name, value)


def _show_monitored(summary: RunSummary, now: float) -> str:
    found = monitored(summary)
    return f"{label_of(found[0])} {number(found[1])}" if found else UNKNOWN


def _status(summary: RunSummary, now: float) -> str:
    return f"{STATES[summary.status][0]} {summary.status}"


def _epochs(summary: RunSummary, now: float) -> str:
    if not summary.epochs and not summary.epoch:
        return UNKNOWN
    exact = of(summary.epoch, summary.epochs)
    done, asked = _number(summary.epoch), _number(summary.epochs)
    if len(exact) <= EPOCHS_WIDTH or done is None or asked is None:
        return exact
    short = f"{si(done)}/{si(asked)}"
    return short if len(short) <= EPOCHS_WIDTH else si(done)


def _newest_first(summary: RunSummary) -> float | None:
    start = began(summary)
    return None if start is None else -start


def _age(summary: RunSummary, now: float) -> str:
    start = began(summary)
    return UNKNOWN if start is None else age(now - start)


LONGEST_NAME: Final = 40
EPOCHS_WIDTH: Final = 8
COLUMNS: Final[dict[str, Column]] = {
    column.name: column
    for column in (
        Column("status", 13, 0, lambda summary: STATUS_ORDER.index(summary.status), _status),
        Column(
            "run", 4, 1, lambda summary: summary.run.id.casefold(), lambda summary, now: short_name(summary)
        ),
        _text("data", 13, 2, lambda summary: summary.data),
        _text("model", 7, 3, lambda summary: summary.model),
        _numeric("epochs", EPOCHS_WIDTH, 4, lambda summary: summary.epoch, show=_epochs, falling=True),
        _numeric("accuracy", 8, 5, **_score_of(lambda summary: summary.metrics)),
        _numeric(
            "loss",
            7,
            7,
            lambda summary: summary.metrics.get("loss"),
            show=lambda summary, now: number(_number(summary.metrics.get("loss"))),
        ),
        _numeric(TEST, 8, 8, **_score_of(lambda summary: summary.shown_evaluation.get("test", {}))),
        _text("optimizer", 10, 9, _setting("optimizer", "name")),
        _numeric("lr", 6, 10, _setting("optimizer", "lr")),
        _numeric("batch", 6, 11, _setting("training", "batch_size")),
        _numeric(
            MONITORED,
            16,
            7,
            lambda summary: (monitored(summary) or ("", None))[1],
            show=_show_monitored,
            falling=True,
        ),
        Column("age", 6, 6, _newest_first, _age, ">"),
    )
}
