"""The simple models beside a run as text: what each reaches, and how the network differs from it."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from core.inference.baselines import compared, load_baselines, not_better_than_boosting
from core.inference.stored import Evaluation
from core.metrics import label_of, signed
from tui.terminal.text import clean, number

__all__ = ["baseline_tables"]


def baseline_tables(evaluation: Evaluation, *, in_words: bool) -> list[RenderableType]:
    """Return the table of the simple models beside a run, and its lines; nothing where there are none.

    Args:
        in_words: whether a line says that the network is not better than boosting.
    """
    stored = load_baselines(evaluation.run)
    if stored is None:
        return []
    rows = compared(evaluation)
    parts: list[RenderableType] = []
    if rows:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("simple model")
        for title in (label_of(rows[0].metric), "95 % interval", "network − it", "95 % interval"):
            table.add_column(title, justify="right")
        for row in rows:
            interval = " … ".join(map(number, row.interval)) if row.interval else ""
            difference, ends = "–", ""
            if row.difference is not None:
                difference = signed(row.difference.value)
                ends = " … ".join(map(signed, row.difference.interval))
            table.add_row(clean(row.model.title), number(row.value), interval, difference, ends)
        parts.append(table)
    line = not_better_than_boosting(evaluation, rows) if in_words else ""
    if line:
        parts.append(Text(clean(f"▲ {line}"), "yellow"))
    how = [f"{row.model.title}: {row.model.how}" for row in rows]
    return [*parts, *(Text(clean(text), "dim") for text in (*how, *stored.notes))]
