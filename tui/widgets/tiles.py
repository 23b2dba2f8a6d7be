"""Pictures side by side with a caption each; one of them has the cursor."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from tui.widgets.picture import Picture, fitted

__all__ = ["Tiles"]

NARROWEST = 13
"""Cells a caption needs."""
LINES, LINES_WITH_ROOM, ROOMY = 8, 10, 28
"""Rows of cells that a picture may take, and with how many in all it may take more."""
WIDEST_SHAPE = 3
"""A tile is at most this many times as wide as tall."""


class Tile(Container):
    """One picture and what is written under it."""

    def compose(self) -> ComposeResult:
        yield Picture()
        yield Static("", markup=False)

    def show(self, pixels: np.ndarray, rows: int, caption: str, *, at_cursor: bool) -> None:
        """Show a picture in so many rows of cells."""
        picture = self.query_one(Picture)
        picture.styles.height = rows
        picture.show(pixels)
        self.mark(caption, at_cursor=at_cursor)

    def mark(self, caption: str, *, at_cursor: bool) -> None:
        """Write the caption, with the cursor or without."""
        self.query_one(Static).update(Content(f"{'▸' if at_cursor else ' '}{caption}"))
        self.set_class(at_cursor, "-cursor")


class Tiles(Container, can_focus=True):
    """Shows as many as fit, page by page, however many there are."""

    DEFAULT_CSS = """
    Tiles { layout: grid; grid-gutter: 0; }
    Tile { height: 1fr; padding: 0 2 0 0; }
    Tile Static { height: 1; color: $text-muted; text-wrap: nowrap; }
    Tile.-cursor Static { color: $foreground; text-style: bold; }
    Tiles:focus Tile.-cursor Static { color: rgb(17,17,17); background: rgb(240,228,66); }
    """
    BINDINGS = [
        Binding("left", "move(-1)", "Left", show=False),
        Binding("right", "move(1)", "Right", show=False),
        Binding("up", "line(-1)", "Up", show=False),
        Binding("down", "line(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1_000_000_000)", "First", show=False),
        Binding("end", "move(1_000_000_000)", "Last", show=False),
        Binding("enter", "choose", "enlarge"),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    """The picture with the cursor, from 0."""

    @dataclass
    class Highlighted(Message):
        """The cursor came to a picture; `first` to `last` (from 0) are seen."""

        tiles: "Tiles"
        place: int
        first: int
        last: int

        @property
        def control(self) -> "Tiles":
            return self.tiles

    @dataclass
    class Chosen(Message):
        """A picture was chosen with Enter, or with a click when it had the cursor."""

        tiles: "Tiles"
        place: int

        @property
        def control(self) -> "Tiles":
            return self.tiles

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.count = 0
        self._picture: Callable[[int], np.ndarray] = lambda place: np.zeros((1, 1), dtype=np.uint8)
        self._caption: Callable[[int, int], str] = lambda place, width: ""
        self._columns, self._rows = 1, 1

    def show(
        self,
        count: int,
        picture: Callable[[int], np.ndarray],
        caption: Callable[[int, int], str],
        cursor: int = 0,
    ) -> None:
        """Show other pictures.

        Args:
            count: how many there are.
            picture: the pixels at a place, asked for when it is seen.
            caption: the text under it, for a place and a width in cells.
        """
        self.count, self._picture, self._caption = count, picture, caption
        self.set_reactive(Tiles.cursor, min(cursor, max(0, count - 1)))
        self._arrange()

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(0, self.count - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        if before // self._page != now // self._page:
            self._fill()
            return
        tiles = self.query(Tile)
        for place in (before, now):
            if place < self.count and place % self._page < len(tiles):
                tile = tiles[place % self._page]
                tile.mark(self._caption(place, self._width), at_cursor=place == now)
        self._tell()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor += by

    def action_line(self, by: int) -> None:
        """Move the cursor up or down."""
        self.cursor += by * self._columns

    def action_page(self, by: int) -> None:
        """Move the cursor by a page."""
        self.cursor += by * self._page

    def action_choose(self) -> None:
        """Choose the picture with the cursor."""
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: Click) -> None:
        for number, tile in enumerate(self.query(Tile)):
            place = self.cursor // self._page * self._page + number
            if tile.region.contains(event.screen_x, event.screen_y) and place < self.count:
                if place == self.cursor:
                    self.action_choose()
                self.cursor = place

    def on_mouse_scroll_down(self) -> None:
        self.action_page(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_page(-1)

    def on_resize(self) -> None:
        self._arrange()

    @property
    def _page(self) -> int:
        return self._columns * self._rows

    @property
    def _width(self) -> int:
        """Cells of a caption, without the mark of the cursor."""
        return max(1, self._tile_size[0] - 3)

    @property
    def _tile_size(self) -> tuple[int, int]:
        """Columns and rows of one tile with the gap behind it, so that several fit."""
        width, height = self.size
        lines = max(1, min(LINES if height < ROOMY else LINES_WITH_ROOM, height // 2 - 2))
        shape = fitted(self._picture(0), min(width, WIDEST_SHAPE * 2 * lines), lines).shape
        return max(shape[1], NARROWEST) + 2, -(-shape[0] // 2) + 2

    def _arrange(self) -> None:
        """Lay out for the size and the shape of the pictures."""
        width, height = self.size
        if not self.count or not width or not height:
            self.remove_children()
            return
        tile_width, tile_height = self._tile_size
        self._columns, self._rows = max(1, width // tile_width), max(1, (height + 1) // tile_height)
        self.styles.grid_size_columns = self._columns
        self.styles.grid_columns = str(tile_width)
        self.styles.grid_rows = str(tile_height)
        missing = self._page - len(self.query(Tile))
        if missing > 0:
            self.mount_all(Tile() for _ in range(missing))
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        """Put the pictures of this page into the tiles."""
        first = self.cursor // self._page * self._page
        for number, tile in enumerate(self.query(Tile)):
            place = first + number
            tile.display = number < self._page
            tile.visible = place < self.count
            if number < self._page and place < self.count:
                caption = self._caption(place, self._width)
                tile.show(
                    self._picture(place), self._tile_size[1] - 2, caption, at_cursor=place == self.cursor
                )
        self._tell()

    def _tell(self) -> None:
        if self.count:
            first = self.cursor // self._page * self._page
            last = min(first + self._page, self.count) - 1
            self.post_message(self.Highlighted(self, self.cursor, first, last))
