"""The table of epochs: the latest at the bottom, the best with a star, the selected one with a cursor."""

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.message import Message
from textual.strip import Strip

from core.metrics import label_of
from core.runs.history.history import Epoch, History
from tui.terminal.table_text import TableText
from tui.terminal.text import clean, defined, fit, number
from tui.widgets.parts import WidgetOfParts

__all__ = ["EpochTable"]

EPOCH, PAIR = 7, 8
"""Widths of the number of an epoch, and least ones of a metric of training and of validation."""
METRIC, SECONDS, RATE = 9, 8, 9
MAX_SPARE, LONGEST = 4, 16


class EpochTable(WidgetOfParts, can_focus=True):
    """Draws visible rows only, and only when they change; a new row does not change the layout."""

    PARTS = "epochs"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"epochs--head", "epochs--row", "epochs--best", "epochs--chosen"}
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(1)", "Earlier epochs", show=False),
        Binding("down", "scroll(-1)", "Later epochs", show=False),
        Binding("pageup", "scroll(10)", "Ten epochs earlier", show=False),
        Binding("pagedown", "scroll(-10)", "Ten epochs later", show=False),
        Binding("end", "scroll(-1_000_000)", "The latest epochs", show=False),
    ]

    class Chosen(Message):
        """A row was clicked."""

        def __init__(self, epoch: int) -> None:
            super().__init__()
            self.epoch = epoch

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[Epoch] = []
        self.best_epoch, self.chosen = 0, 0
        self.pairs = [(split, metric) for metric in ("loss", "accuracy") for split in ("train", "validation")]
        """Split and metric of the columns before the others."""
        self.others: list[str] = []
        self.above_end = 0

    def show(self, history: History, chosen: int) -> None:
        """Show the epochs of a history; does nothing when none is new.

        Args:
            chosen: number of the epoch with the cursor, which is scrolled to; 0 follows the latest.
        """
        newest = history.epochs[-1] if history.epochs else None
        shown = self.rows[-1] if self.rows else None
        if newest is shown and chosen == self.chosen:
            return
        if chosen != self.chosen and chosen:
            latest = history.epochs[-1].event.epoch
            self.above_end = max(0, latest - chosen - self.size.height // 2)
        elif chosen != self.chosen:
            self.above_end = 0
        self.rows, self.pairs = list(history.epochs), _pairs(history)
        self.others = [name for name in history.scores if name != history.score]
        self.best_epoch, self.chosen = history.best_epoch, chosen
        self.refresh()

    def as_table(self) -> TableText:
        """Return all epochs with all digits; the cursor is on the chosen one, or the latest."""
        events = [row.event for row in self.rows]
        train, validation = (
            list(dict.fromkeys(name for event in events for name in vars(event)[split]))
            for split in ("train", "validation")
        )
        head = ["epoch", *(f"train {name}" for name in train), *(f"validation {name}" for name in validation)]
        rows = [
            [
                str(event.epoch),
                *(str(event.train.get(name, "")) for name in train),
                *(str(event.validation.get(name, "")) for name in validation),
                str(event.seconds),
                str(event.lr),
            ]
            for event in events
        ]
        chosen = (place for place, event in enumerate(events) if event.epoch == self.chosen)
        return TableText([*head, "seconds", "lr"], rows, next(chosen, max(0, len(rows) - 1)))

    @property
    def first(self) -> int:
        """Position of the first visible row."""
        return max(0, len(self.rows) - self.above_end - (self.size.height - 1))

    def action_scroll(self, by: int) -> None:
        """Scroll towards earlier rows, or later ones when negative."""
        most = max(0, len(self.rows) - (self.size.height - 1))
        self.above_end = min(max(0, self.above_end + by), most)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return Strip([Segment(self._head(width), self.part_style("head"))], width)
        place = self.first + y - 1
        if place >= len(self.rows):
            return Strip.blank(width, self.part_style("row"))
        event = self.rows[place].event
        kind = "chosen" if event.epoch == self.chosen else "best" if event.epoch == self.best_epoch else "row"
        return Strip([Segment(self._row(self.rows[place], width), self.part_style(kind))], width)

    def on_click(self, event: Click) -> None:
        place = self.first + event.y - 1
        if event.y > 0 and place < len(self.rows):
            self.post_message(self.Chosen(self.rows[place].event.epoch))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self.action_scroll(3)
        event.stop()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self.action_scroll(-3)
        event.stop()

    @property
    def _heads(self) -> list[str]:
        names = {"accuracy": "acc"}
        titles = [(split, names.get(metric) or clean(label_of(metric))) for split, metric in self.pairs]
        return [title if split == "train" else f"val {title}" for split, title in titles]

    def _head(self, width: int) -> str:
        others = [clean(label_of(name)) for name in self.others]
        return self._line(["epoch", *self._heads, *others, "seconds", "lr"], width)

    def _row(self, row: Epoch, width: int) -> str:
        event = row.event
        sign = "★" if event.epoch == self.best_epoch else "▸" if event.epoch == self.chosen else " "
        cells = [
            f"{sign}{event.epoch:>5}",
            *(
                number((event.train if split == "train" else event.validation).get(metric))
                for split, metric in self.pairs
            ),
            *(defined(event.validation.get(name, event.train.get(name))) for name in self.others),
            f"{event.seconds:.2f}",
            f"{event.lr:.3g}",
        ]
        return self._line(cells, width)

    def _line(self, cells: list[str], width: int) -> str:
        """Return as many cells as fit, right-aligned in their columns, wider columns if there is room."""
        named = [max(METRIC, min(LONGEST, cell_len(label_of(name)) + 1)) for name in self.others]
        heads = [max(PAIR, cell_len(head) + 1) for head in self._heads]
        widths = [EPOCH, *heads, *named, SECONDS, RATE]
        count = len(widths)
        while count > 2 and sum(widths[:count]) > width:
            count -= 1
        spare = min(max(0, (width - sum(widths[:count])) // count), MAX_SPARE)
        return fit(
            "".join(
                " " + fit(cell, w + spare - 1, align=">")
                for cell, w in zip(cells[:count], widths, strict=False)
            ),
            width,
        )


def _pairs(history: History) -> list[tuple[str, str]]:
    """Loss and score of training and validation; of training only what is reported there once anything is."""
    metrics = dict.fromkeys(("loss", history.score))
    return [
        (split, metric)
        for metric in metrics
        for split in ("train", "validation")
        if split == "validation" or not history.epochs or len(history.curve(f"train {metric}"))
    ]
