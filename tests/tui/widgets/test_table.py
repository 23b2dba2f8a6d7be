"""A table of any length: cursor, head, sideways scrolling, text from anywhere."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.app import App, ComposeResult

from tests.support.screen import foreground
from tui.widgets.table import Cell, Column, Table

RED = (213, 94, 0)


class OneTable(App[None]):
    """A screen that is one table, and remembers what it told."""

    def __init__(
        self, columns: Sequence[Column], rows: int, cells: Callable[[int], Sequence[Cell]], frozen: int = 0
    ) -> None:
        super().__init__()
        self.table = Table()
        self.table.show(columns, rows, cells, frozen=frozen)
        self.told: list[tuple[str, int]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        self.told.append(("at", event.row))

    def on_table_chosen(self, event: Table.Chosen) -> None:
        self.told.append(("chosen", event.row))

    def on_table_head_clicked(self, event: Table.HeadClicked) -> None:
        self.told.append(("head", event.column))

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


def numbered(row: int) -> list[str]:
    return [f"row {row}", str(row * row)]


async def test_only_what_is_seen_is_made() -> None:
    made: set[int] = set()

    def cells(row: int) -> list[str]:
        made.add(row)
        return numbered(row)

    app = OneTable([Column("name", 0, "<"), Column("square")], 1_000_000, cells)
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.focus()
        await pilot.press("end")
        await pilot.pause()
        assert app.told == [("at", 999_999)]
        assert app.lines()[-1].startswith("▸row 999999")
        assert app.lines()[0].split() == ["name", "square"]
        assert len(made) < 100


async def test_keys_move_the_cursor_inside_the_rows() -> None:
    app = OneTable([Column("name", 0, "<"), Column("square")], 30, numbered)
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.focus()
        await pilot.press("up", "down", "down", "pagedown", "pageup", "enter", "home", "end", "down")
        assert [place for what, place in app.told if what == "at"] == [1, 2, 10, 2, 0, 29]
        assert ("chosen", 2) in app.told


async def test_a_click_moves_the_cursor_and_one_more_chooses() -> None:
    app = OneTable([Column("name", 10, "<"), Column("square", 8)], 30, numbered)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.click(app.table, offset=(3, 4))
        await pilot.click(app.table, offset=(3, 4))
        await pilot.click(app.table, offset=(3, 0))
        await pilot.click(app.table, offset=(14, 0))
        assert app.told == [("at", 3), ("chosen", 3), ("head", 0), ("head", 1)]


async def test_frozen_columns_stay_while_others_scroll() -> None:
    columns = [Column("id", 4), *(Column(f"c{number}", 8) for number in range(10))]
    app = OneTable(columns, 3, lambda row: [str(row), *(f"{row}.{n}" for n in range(10))], frozen=1)
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.focus()
        assert app.lines()[1].split()[1:3] == ["0", "0.0"]
        assert app.lines()[0].split() == ["id", "c0", "c1", "c2"], "of the next one only a part would be seen"
        await pilot.press("right")
        assert app.lines()[0].split() == ["id", "c1", "c2", "c3"]
        await pilot.press(*["right"] * 20)
        assert app.lines()[1].split()[1] == "0"
        assert app.lines()[1].split()[-1] == "0.9"
        assert app.lines()[0].split()[0] == "id"
        await pilot.click(app.table, offset=(36, 0))
        assert app.told == [("head", 10)]


async def test_cells_are_cut_and_shown_as_they_are() -> None:
    app = OneTable(
        [Column("class", 8, "<"), Column("n", 4)], 1, lambda row: [("[b]猫\x1b[31m and more", RED), "1"]
    )
    async with app.run_test(size=(40, 4)):
        line = app.table.render_line(1)
        assert line.text.startswith("▸[b]猫␛… ") or line.text.startswith("▸[b]猫␛[…")
        assert cell_len(line.text) == 40
        assert next(foreground(segment) for segment in line if "猫" in segment.text) == RED


async def test_fewer_rows_bring_the_cursor_back() -> None:
    app = OneTable([Column("name", 0, "<"), Column("square")], 30, numbered)
    async with app.run_test(size=(40, 10)) as pilot:
        app.table.cursor = 29
        app.table.show([Column("name", 0, "<"), Column("square")], 2, numbered)
        await pilot.pause()
        assert app.table.cursor == 1
        assert app.lines()[2].startswith("▸row 1")
        app.table.show([Column("name", 0, "<"), Column("square")], 0, numbered)
        app.table.focus()
        await pilot.press("enter", "down")
        assert ("chosen", 0) not in app.told
