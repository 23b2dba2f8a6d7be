"""Numbers of two classes as text."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.evaluation.two_classes.numbers import Number
from tui.terminal.text import clean, number

__all__ = ["numbers_table"]


def numbers_table(numbers: Sequence[Number], positive: str) -> RenderableType:
    """Return the table of some numbers of the positive class, and why intervals are missing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(Text(clean(f"of {positive}")))
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("at a score of", justify="right")
    for each in numbers:
        ends = f"{number(each.interval[0])} … {number(each.interval[1])}" if each.interval else ""
        at = number(each.at) if each.at is not None else ""
        table.add_row(each.title, number(each.value), ends, at)
    reasons = dict.fromkeys(each.reason for each in numbers if each.reason)
    return Group(table, *(Text(clean(f"no interval: {reason}"), "dim") for reason in reasons))
