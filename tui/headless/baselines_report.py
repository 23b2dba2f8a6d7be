"""The simple models beside a run as text: what each reaches, and how the network differs from it."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from core.inference.baselines import Compared, compared, load_baselines, not_better_than_boosting
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
        cells = [_cells(row) for row in rows]
        heads = (
            "simple model",
            label_of(rows[0].metric),
            "95 % interval",
            "network − it",
            "95 % interval",
        )
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for at, head in enumerate(heads):  # a head of several words takes several lines rather than a number
            widest = max(len(text) for text in (*head.split(), *(row[at] for row in cells)))
            table.add_column(head, justify="right" if at else "left", min_width=widest, max_width=widest)
        for row in cells:
            table.add_row(*row)
        parts.append(table)
    line = not_better_than_boosting(evaluation, rows) if in_words else ""
    if line:
        parts.append(Text(clean(f"▲ {line}"), "yellow"))
    how = [f"{row.model.title}: {row.model.how}" for row in rows]
    return [*parts, *(Text(clean(text), "dim") for text in (*how, *stored.notes))]


def _cells(row: Compared) -> tuple[str, ...]:
    interval = " … ".join(map(number, row.interval)) if row.interval else ""
    difference, ends = "–", ""
    if row.difference is not None:
        difference = signed(row.difference.value)
        ends = " … ".join(map(signed, row.difference.interval))
    return clean(row.model.title), number(row.value), interval, difference, ends
