"""Studies side by side: the values of their trials as a chart, and what each has tried and found as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content

from tui.charts.explore.plot import ExploringPlot
from tui.charts.study_views import spread_chart
from tui.terminal.text import clean, fit
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from core.tuning.comparison import StudyFacts
    from tui.runtime.study_follower import Standing

__all__ = ["SpreadPanel", "Together"]

GAP = 2
LEAST_CELLS = 10
"""Of the column of a study."""


@dataclass(frozen=True)
class Together:
    """Studies beside the followed one, as they were when they were chosen.

    Attributes:
        others: states of the other studies. facts: of all, the followed one first.
    """

    others: "Sequence[Standing]"
    facts: "Sequence[StudyFacts]"


class SpreadPanel(Panel):
    """A chart on the left, a table on the right."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield ExploringPlot(focusable=True)
            with VerticalScroll(can_focus=False):
                yield Drawing(id="side-by-side")

    def show(self, standing: "Standing", together: Together) -> None:
        """Show the followed study beside the others."""
        from core.tuning.comparison import not_comparable
        from tui.headless.studies_report import verdict

        self.query_one(ExploringPlot).show(spread_chart([standing, *together.others]))
        self.query_one("#side-by-side", Drawing).show(partial(_table, together.facts))
        self.border_title = f"spread of {len(together.facts)} studies"
        note = not_comparable(together.facts)
        self.border_subtitle = clean(
            f"{note}: their values do not compare" if note else verdict(together.facts)
        )


def _table(facts: "Sequence[StudyFacts]", width: int) -> Content:
    """Return a row for each fact, with a column for each study as far as there is room."""
    from tui.headless.studies_report import study_rows

    rows = [(title.rpartition(".")[2], cells) for title, cells in study_rows(facts)]
    first = max(cell_len(title) for title, _ in rows)
    room = max(LEAST_CELLS, (width - first) // len(facts) - GAP)
    names = [f"{at} {_last(fact.name, room - 2)}" for at, fact in enumerate(facts, start=1)]
    lines = []
    for title, cells in [("", names), *rows]:
        texts = [fit(text, min(room, cell_len(text))) for text in map(clean, cells)]
        columns = "".join(" " * (GAP + room - cell_len(text)) + text for text in texts)
        lines.append(Content.styled(fit(fit(clean(title), first) + columns, width), "" if title else "bold"))
    return Content("\n").join(lines)


def _last(name: str, room: int) -> str:
    """Return as much of the end of a study's name as fits: commands find it by its last letters."""
    name = clean(name.removeprefix("study_"))
    return name if len(name) <= room else "…" + name[1 - room :]
