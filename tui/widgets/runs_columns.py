"""The columns of a table of runs: content, order, and which of them fit in a width."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, Literal

from rich.cells import cell_len

from core.counting import counted
from core.errors import InputError
from core.metrics import label_of
from core.runs.query.fields import SCORES, Field, field_of, number_of, score
from core.runs.summary import RunSummary, began
from core.status import is_active
from core.tuning.listed import StudySummary
from tui.terminal.run_names import short_name
from tui.terminal.text import UNKNOWN, age, clean, number, of, setting, si
from tui.terminal.themes import STATES

__all__ = [
    "AGENT",
    "COLUMNS",
    "GAP",
    "MONITORED",
    "MORE",
    "TEST",
    "TOOL",
    "Column",
    "column_of",
    "columns_of",
    "lay_out",
    "monitored",
    "trials_text",
    "widths_of",
]

GAP: Final = 2
MORE: Final = (
    "name",
    "tags",
    "note",
    "seed",
    "schedule",
    "loss_function",
    "best_epoch",
    "study",
    "id",
)
"""Names of further columns that a user may want, beside metrics and settings."""
MONITORED: Final = "monitored"
TEST: Final = "test"
TOOL: Final = "tool"
AGENT: Final = "agent"
STATUS_ORDER: Final = (
    "pending",
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
        width: cells that it gets at least, fewer where all of its texts are shorter. most: cells it can make use of.
        rank: columns of a low rank get their place first.
        falling: whether the largest value comes first when the column is chosen.
        head: shown on top; the name where it is empty.
    """

    name: str
    width: int
    rank: int
    value: Callable[[RunSummary], Any]
    show: Callable[[RunSummary, float], str]
    align: Literal["<", ">"] = "<"
    falling: bool = False
    most: int = 0
    head: str = ""

    @property
    def title(self) -> str:
        """The head of the column."""
        return self.head or self.name

    def least(self, widths: Mapping[str, int]) -> int:
        """Return the cells that it needs where its longest text has `widths`."""
        longest = widths.get(self.name, 0)
        return min(self.width, max(longest, len(self.title) + 1)) if self.most else self.width


def lay_out(
    width: int,
    widths: Mapping[str, int],
    absent: Iterable[str] = (),
    chosen: Sequence[Column] = (),
) -> tuple[tuple[Column, int], ...]:
    """The columns that fit into `width` cells, in their order, with the width of each.

    Args:
        widths: of the longest text in columns that grow, by name.
        absent: names of columns that no run has a value for.
        chosen: by the user, in their order; by default all usual ones, those of a low rank first. Where not all fit,
            usual ones make room for the others.
    """
    order = list(chosen) or [column for column in COLUMNS.values() if column.name not in absent]
    room, cells = width, dict[str, int]()
    usual = COLUMNS.keys() - {"run"} if chosen else set()
    for column in sorted(order, key=lambda column: (column.name in usual, column.rank)):
        least = column.least(widths)
        if column.name == "run" and LETTERS <= room < least:
            least = room
        if room < least:
            break
        cells[column.name] = least
        room -= least + GAP
    room = max(0, room + GAP)
    growing = [column for column in order if column.name in cells and column.most]
    for bound in (SHORT, MIDDLING, LONGEST):
        for column in sorted(growing, key=lambda column: column.name != "run"):
            wanted = min(column.most, bound, widths.get(column.name, 0)) - cells[column.name]
            cells[column.name] += (more := max(0, min(wanted, room)))
            room -= more
    return tuple((column, cells[column.name]) for column in order if column.name in cells)


def widths_of(columns: Iterable[Column], summary: RunSummary) -> dict[str, int]:
    """Return the cells of a run's texts in columns that grow, by the names of the columns."""
    return {
        column.name: len(text) if text.isascii() and text.isprintable() else cell_len(clean(text))
        for column in columns
        if column.most and (text := column.show(summary, 0.0))
    }


@cache
def column_of(name: str) -> Column:
    """Return the column of a name: a usual one, or any that a filter knows.

    Raises:
        InputError: there is none.
    """
    if name.casefold() in COLUMNS:
        return COLUMNS[name.casefold()]
    field = field_of(name)
    head = field.name.rpartition(".")[2] if field.kind == "setting" else field.name
    width = max(7, min(len(head) + 1, 16))
    if field.kind == "number":
        show = partial(_show_number, field, label=name)
        return Column(field.name, width, 0, lambda run: number_of(field.read(run)), show, ">", head=head)
    value, show = partial(_sorted_as, field), partial(_show_text, field)
    return Column(field.name, width, 0, value, show, most=LONGEST, head=head)


def columns_of(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of some names; what is none, as from a damaged file, is left out."""
    found = dict[str, Column]()
    for name in names:
        try:
            column = column_of(name)
        except InputError:
            continue
        found[column.name] = column
    return tuple(found.values())


def _show_number(field: Field, summary: RunSummary, now: float, label: str) -> str:
    value = number_of(field.read(summary))
    if value is None:
        return UNKNOWN
    return f"{value:g}" if value.is_integer() and abs(value) < 1e6 else number(value)


def _texts(field: Field, summary: RunSummary) -> str:
    value = field.read(summary)
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(map(str, value)) if field.name in ("tag", "tags") else str(value[0])
    return str(value) if field.kind == "text" else setting(value)


def _show_text(field: Field, summary: RunSummary, now: float) -> str:
    return _texts(field, summary).replace("\n", " ") or UNKNOWN


def _sorted_as(field: Field, summary: RunSummary) -> tuple[int, float, str] | None:
    """Return a key: numbers in their order, then texts in theirs."""
    found, text = number_of(field.read(summary)), _texts(field, summary)
    if found is not None:
        return 0, found, ""
    return (1, 0.0, text.casefold()) if text else None


def _setting(section: str, field: str) -> Callable[[RunSummary], Any]:
    return lambda summary: summary.config.get(section, {}).get(field)


def _numeric(name: str, width: int, rank: int, value: Callable[[RunSummary], Any], **options: Any) -> Column:
    def known(summary: RunSummary) -> float | None:
        return number_of(value(summary))

    def show(summary: RunSummary, now: float) -> str:
        found = known(summary)
        return UNKNOWN if found is None else f"{found:g}"

    return Column(name, width, rank, known, options.pop("show", show), ">", **options)


def _text(name: str, width: int, rank: int, value: Callable[[RunSummary], Any], most: int = 0) -> Column:
    def shown(summary: RunSummary, now: float = 0.0) -> str:
        return str(value(summary) or UNKNOWN)

    return Column(name, width, rank, lambda summary: shown(summary).casefold(), shown, most=most)


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
    value = number_of(summary.metrics.get(name))
    return None if value is None else (name, value)


def _show_monitored(summary: RunSummary, now: float) -> str:
    found = monitored(summary)
    return f"{label_of(found[0])} {number(found[1])}" if found else UNKNOWN


def trials_text(study: StudySummary, *, is_open: bool) -> str:
    """Return how many trials a study has, and whether they are shown and it is worked on."""
    sign = "▾" if is_open else "▸"
    if study.status == "pending" and not study.trials:
        return f"{sign} pending"
    trials = counted(study.trials, "trial")
    return f"{sign} {trials}{f' {STATES[study.status][0]}' if is_active(study.status) else ''}"


def _status(summary: RunSummary, now: float) -> str:
    if isinstance(summary, StudySummary):
        return trials_text(summary, is_open=False)
    return f"{STATES[summary.status][0]} {summary.status}"


def _epochs(summary: RunSummary, now: float) -> str:
    if not summary.epochs and not summary.epoch:
        return UNKNOWN
    exact = of(summary.epoch, summary.epochs)
    done, asked = number_of(summary.epoch), number_of(summary.epochs)
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


LONGEST: Final = 48
LETTERS: Final = 4
"""Cells of a run's name where there is room for nothing else."""
SHORT: Final = 13
MIDDLING: Final = 20
"""Every column that grows gets that many cells, if it needs them, before one of them gets more."""
EPOCHS_WIDTH: Final = 8
COLUMNS: Final[dict[str, Column]] = {
    column.name: column
    for column in (
        Column("status", 13, 0, lambda summary: STATUS_ORDER.index(summary.status), _status, most=14),
        Column(
            "run",
            10,
            1,
            lambda summary: summary.title.casefold(),
            lambda summary, now: short_name(summary, LONGEST),
            most=LONGEST,
        ),
        _text(TOOL, 11, 3, lambda summary: summary.tool, most=18),
        _text(AGENT, 8, 6, lambda summary: summary.agent, most=18),
        _text("data", 8, 2, lambda summary: summary.data, most=32),
        _text("model", 7, 3, lambda summary: summary.model, most=24),
        _numeric("epochs", EPOCHS_WIDTH, 4, lambda summary: summary.epoch, show=_epochs, falling=True),
        _numeric("accuracy", 8, 5, **_score_of(lambda summary: summary.metrics)),
        _numeric(
            "loss",
            7,
            7,
            lambda summary: summary.metrics.get("loss"),
            show=lambda summary, now: number(number_of(summary.metrics.get("loss"))),
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
