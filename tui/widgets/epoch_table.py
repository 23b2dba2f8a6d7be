"""The table of epochs: the latest at the bottom, the best with a star, one chosen with a cursor."""

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.runs.history import Epoch, History
from tui.text import fit, number

__all__ = ["EpochTable"]


class EpochTable(ScrollView, can_focus=True):
    """Draws only the rows that are seen, so that thousands of epochs cost nothing."""

    COMPONENT_CLASSES = {"epochs--head", "epochs--row", "epochs--best", "epochs--chosen"}
    ALLOW_SELECT = False

    class Chosen(Message):
        """A row was clicked."""

        def __init__(self, epoch: int) -> None:
            super().__init__()
            self.epoch = epoch

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Epoch] = []
        self.score, self.best_epoch, self.chosen = "accuracy", 0, 0
        self.changing_rate = False

    def show(self, history: History, chosen: int) -> None:
        """Show all epochs of a history.

        Args:
            chosen: number of the epoch with the cursor; 0 follows the latest.
        """
        at_end = self.scroll_offset.y >= self.max_scroll_y
        self.rows, self.score = list(history.epochs), history.score
        self.best_epoch, self.chosen = history.best_epoch, chosen
        self.changing_rate = len({row.event.lr for row in self.rows[-50:]}) > 1
        self.virtual_size = Size(0, len(self.rows) + 1)
        if chosen:
            place = next((i for i, row in enumerate(self.rows) if row.event.epoch == chosen), 0)
            self.call_after_refresh(self.scroll_to, y=max(0, place - self.size.height // 2), animate=False)
        elif at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            return Strip([Segment(self._head(width), self._style("head"))], width)
        place = self.scroll_offset.y + y - 1
        if place >= len(self.rows):
            return Strip.blank(width, self._style("row"))
        event = self.rows[place].event
        kind = "chosen" if event.epoch == self.chosen else "best" if event.epoch == self.best_epoch else "row"
        return Strip([Segment(self._row(self.rows[place], width), self._style(kind))], width)

    def on_click(self, event: Click) -> None:
        place = self.scroll_offset.y + event.y - 1
        if event.y > 0 and place < len(self.rows):
            self.post_message(self.Chosen(self.rows[place].event.epoch))

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"epochs--{kind}")

    def _head(self, width: int) -> str:
        score = "acc" if self.score == "accuracy" else "R2"
        cells = ["epoch", "loss", "val loss", score, f"val {score}", "seconds", "lr"]
        return _line(cells, width)

    def _row(self, row: Epoch, width: int) -> str:
        event = row.event
        star = "★" if event.epoch == self.best_epoch else "▸" if event.epoch == self.chosen else " "
        cells = [
            f"{star}{event.epoch:>5}",
            number(event.train.get("loss")),
            number(event.validation.get("loss")),
            number(event.train.get(self.score)),
            number(event.validation.get(self.score)),
            f"{event.seconds:.2f}",
            f"{event.lr:.3g}",
        ]
        return _line(cells, width)


WIDTHS = (7, 8, 9, 8, 8, 8, 9)


def _line(cells: list[str], width: int) -> str:
    """As many cells as fit, right-aligned in their columns, wider columns when there is room."""
    count = len(WIDTHS)
    while count > 2 and sum(WIDTHS[:count]) > width:
        count -= 1
    spare = max(0, (width - sum(WIDTHS[:count])) // count)
    extra = min(spare, 4)
    text = "".join(fit(cell, w + extra, align=">") for cell, w in zip(cells[:count], WIDTHS, strict=False))
    return fit(text, width)
