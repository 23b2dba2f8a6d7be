import re
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from rich.cells import cell_len
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from textual.app import App, ComposeResult

from tests.support.narrow import some
from tests.support.screen import background
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.confusion_matrix import ConfusionMatrix, Normalise

ANIMALS = ["cat", "dog", "horse"]
COUNTS = np.array([[90, 7, 3], [12, 80, 8], [0, 22, 978]])
YELLOW = (240, 228, 66)


class Evaluation(App[None]):
    """A screen that is one grid, and remembers what the grid told it."""

    def __init__(
        self, counts: np.ndarray = COUNTS, class_names: Sequence[str] = ANIMALS, compact: bool = False
    ) -> None:
        super().__init__()
        self.grid = ConfusionGrid(compact=compact)
        self.grid.show(counts, class_names)
        self.moves: list[ConfusionGrid.Moved] = []
        self.selected: list[tuple[str, int, int]] = []

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_confusion_grid_moved(self, event: ConfusionGrid.Moved) -> None:
        self.moves.append(event)

    def on_confusion_grid_selected(self, event: ConfusionGrid.Selected) -> None:
        self.selected.append(("selected", event.true, event.predicted))


def lines(grid: ConfusionGrid) -> list[str]:
    return [grid.render_line(y).text for y in range(grid.size.height)]


def segments(grid: ConfusionGrid) -> list[Segment]:
    return [segment for y in range(grid.size.height) for segment in grid.render_line(y)]


def backgrounds(grid: ConfusionGrid, text: str) -> list[ColorTriplet]:
    """The background colours of the segments with ``text``, in reading order."""
    return [background(segment) for segment in segments(grid) if segment.text.strip() == text]


def cursor_text(grid: ConfusionGrid) -> str:
    """Return the text on yellow."""
    return "".join(s.text for s in segments(grid) if background(s) == YELLOW).strip()


def many(classes: int) -> tuple[np.ndarray, list[str]]:
    """A matrix whose mistakes differ: class i is taken for class i + 1 i times."""
    counts = np.diag(np.full(classes, 2 * classes))
    counts[np.arange(classes - 1), np.arange(1, classes)] = np.arange(classes - 1)
    return counts, [f"class {label}" for label in range(classes)]


async def test_arrows_walk_the_cells_and_tell_what_is_there() -> None:
    app = Evaluation()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("right", "down", "down")
        told = app.moves[-1]
        assert (told.true, told.predicted, told.count) == (2, 1, 22)
        assert told.row_share == pytest.approx(0.022)
        assert told.control is app.grid
        assert app.grid.caption == "true horse → predicted dog: 22 of 1,000 (2.2 %)"
        assert cursor_text(app.grid) == "[22]"


async def test_the_cursor_stays_inside() -> None:
    app = Evaluation()
    async with app.run_test() as pilot:
        await pilot.press("up", "left")
        assert app.grid.cursor == (0, 0)
        await pilot.press("end", "pagedown", "right", "down")
        assert app.grid.cursor == (2, 2)
        await pilot.press("home", "pageup")
        assert app.grid.cursor == (0, 0)


async def test_enter_chooses_the_cell() -> None:
    app = Evaluation()
    async with app.run_test() as pilot:
        await pilot.press("right", "enter")
        assert app.selected == [("selected", 0, 1)]


async def test_m_visits_the_mistakes_from_the_most_to_the_least_frequent() -> None:
    app = Evaluation()
    async with app.run_test() as pilot:
        visited = []
        for _ in range(6):
            await pilot.press("m")
            visited.append(app.moves[-1].count)
        assert visited == [22, 12, 8, 7, 3, 22]
        await pilot.press("M")
        assert app.moves[-1].count == 3


async def test_without_mistakes_m_stays() -> None:
    app = Evaluation(np.diag([3, 4]), ["a", "b"])
    async with app.run_test() as pilot:
        await pilot.press("down", "m", "M")
        assert app.grid.cursor == (1, 0)


async def test_n_goes_from_counts_to_row_to_column_shares() -> None:
    app = Evaluation()
    async with app.run_test() as pilot:
        assert any(re.search(r"horse +· +22 +978", line) for line in lines(app.grid))
        await pilot.press("n")
        assert str(app.grid.normalise) == "row"
        assert any(re.search(r"horse +· +2\.2 +97\.8", line) for line in lines(app.grid))
        await pilot.press("n", "down", "right")
        assert any(re.search(r"horse +· +20\.2 +98\.9", line) for line in lines(app.grid))
        assert app.grid.caption == "true dog → predicted dog: 80 of 109 predicted (73.4 %)"
        await pilot.press("n")
        assert str(app.grid.normalise) == "count"
    with pytest.raises(ValueError, match="normalise"):
        app.grid.normalise = cast("Normalise", "rows")


async def test_a_class_without_samples_has_no_shares() -> None:
    app = Evaluation(np.array([[5, 1], [0, 0]]), ["seen", "never"])
    async with app.run_test() as pilot:
        assert any(re.search(r"never +· +·", line) for line in lines(app.grid))
        await pilot.press("n", "down")
        assert any(re.search(r"never +\[–\] +–", line) for line in lines(app.grid))
        assert app.moves[-1].row_share is None
        assert app.grid.caption == "true never → predicted seen: 0 of 0 (–)"


@pytest.mark.slow
async def test_the_grid_before_and_after_an_epoch() -> None:
    app = Evaluation()
    async with app.run_test() as pilot:
        await pilot.press("down", "right")
        app.grid.show(COUNTS * 2, ANIMALS)
        await pilot.pause()
        assert app.moves[-1].count == 160, "the cursor stays, the count is new"
        app.grid.show(np.eye(2, dtype=int), ["a", "b"])
        await pilot.pause()
        assert app.grid.cursor == (0, 0), "other classes, other cells"
    with pytest.raises(ValueError, match=r"shape \(3, 3\) for 2 class names"):
        app.grid.show(COUNTS, ["a", "b"])


async def test_an_empty_grid_can_be_looked_at() -> None:
    app = Evaluation(np.zeros((0, 0), int), [])
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.press("down", "m", "n", "enter", "end")
        assert lines(app.grid) == [" " * 20] * 5
        assert (app.moves, app.selected) == ([], [])
        assert app.grid.caption == ""


async def test_two_classes() -> None:
    app = Evaluation(np.array([[5421, 312], [87, 1022]]), ["healthy", "ill"])
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("m")
        assert any(re.search(r"healthy +5421 +\[312\]", line) for line in lines(app.grid))


async def test_a_thousand_classes_draw_only_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Evaluation(*many(1000))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("m")
        assert app.grid.cursor == (998, 999)
        assert app.grid.caption == "true class 998 → predicted class 999: 998 of 2,998 (33.3 %)"
        assert cursor_text(app.grid) == "[998]"
        assert any(line.startswith("class 998 ") for line in lines(app.grid))
        drawn: list[tuple[int, int]] = []
        text = ConfusionMatrix.text

        def noted(matrix: ConfusionMatrix, true: int, predicted: int, normalise: Normalise) -> str:
            drawn.append((true, predicted))
            return text(matrix, true, predicted, normalise)

        monkeypatch.setattr(ConfusionMatrix, "text", noted)
        lines(app.grid)
        assert 0 < len(drawn) < 80 * 24


async def test_headers_stay_while_the_cells_scroll() -> None:
    app = Evaluation(*many(100))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("end", *["pagedown"] * 3)
        shown = lines(app.grid)
        assert shown[0].split()[-1] == "…99", "what all names begin with is left out of the columns"
        row = app.grid.cursor[0]
        assert any(line.startswith(f"class {row}") for line in shown)


async def test_a_column_cut_by_the_edge_shows_no_half_number() -> None:
    names = [str(label) for label in range(9)]
    app = Evaluation(np.full((9, 9), 1234), names)
    async with app.run_test(size=(30, 12)) as pilot:
        for x in range(12):
            app.grid.scroll_to(x, 0, animate=False)
            await pilot.pause()
            numbers = set(re.findall(r"\d+", " ".join(line[3:] for line in lines(app.grid)[1:])))
            assert numbers == {"1234"}


HOSTILE = [
    *("猫と犬の写真", "[red]x[/]", "", "a\x1b[31mb\nc"),
    *("e\u0301te\u0301\u202eabc", "👩\u200d🔬", "\u0301\u0301"),
    "x" * 500,
]


@pytest.mark.parametrize("compact", [False, True])
@pytest.mark.parametrize("size", [(120, 30), (60, 20), (33, 9)])
async def test_columns_stay_aligned_whatever_the_classes_are_called(
    compact: bool, size: tuple[int, int]
) -> None:
    app = Evaluation(np.full((8, 8), 5), HOSTILE, compact)
    async with app.run_test(size=size) as pilot:
        await pilot.press("m") if not compact else await pilot.pause()
        columns = set()
        for line in lines(app.grid):
            assert cell_len(line) == size[0] - app.grid.scrollbar_size_vertical
            assert line.isprintable()
            cells = some(re.search(r"[5\[\] ]*$", line)).start()
            fives = [five.start() for five in re.finditer("5", line) if five.start() >= cells]
            columns |= {cell_len(line[:five]) for five in fives}
        assert 2 <= len(columns) <= 8, "the fives of a column stand below each other"


async def test_markup_in_class_names_is_shown_as_it_is() -> None:
    app = Evaluation(np.eye(2, dtype=int), ["[red]x[/]", "[b]"])
    async with app.run_test() as pilot:
        await pilot.pause()
        assert any("[red]x[/]" in line for line in lines(app.grid)[1:])
        assert app.grid.caption == "true [red]x[/] → predicted [red]x[/]: 1 of 1 (100 %)"


@pytest.mark.parametrize("compact", [False, True])
async def test_any_size_of_terminal(compact: bool) -> None:
    app = Evaluation(*many(30), compact)
    async with app.run_test(size=(80, 24)) as pilot:
        if not compact:
            await pilot.press("m")
        for width, height in [(200, 60), (80, 24), (30, 6), (12, 3), (5, 2), (2, 2), (1, 1), (80, 24)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            inside = width - app.grid.scrollbar_size_vertical
            assert [cell_len(line) for line in lines(app.grid)] == [max(inside, 0)] * height
            if not compact and width >= 12:
                assert cursor_text(app.grid).strip("[]") == "28"


async def test_cells_grow_with_the_room() -> None:
    app = Evaluation(*many(10))

    async def numbers(width: int, height: int) -> list[int]:
        await pilot.resize_terminal(width, height)
        await pilot.pause()
        return [y for y, line in enumerate(lines(app.grid)) if "20" in line]

    async with app.run_test() as pilot:
        assert await numbers(100, 12) == list(range(1, 11))
        assert await numbers(100, 21) == list(range(1, 21, 2)), "two lines a row, the number in the upper one"
        assert await numbers(100, 40) == list(range(2, 32, 3)), "three lines, the number in the middle"


async def test_mouse_moves_and_chooses() -> None:
    app = Evaluation()
    async with app.run_test(size=(40, 10)) as pilot:
        twelve = next((line.index("12"), y) for y, line in enumerate(lines(app.grid)) if "12" in line)
        await pilot.click(offset=twelve)
        assert app.grid.cursor == (1, 0)
        assert app.selected == []
        await pilot.click(offset=twelve)
        assert app.selected == [("selected", 1, 0)]


@pytest.mark.parametrize("moved_before", [False, True])
async def test_a_double_click_chooses_once(moved_before: bool) -> None:
    app = Evaluation()
    async with app.run_test(size=(40, 10)) as pilot:
        twelve = next((line.index("12"), y) for y, line in enumerate(lines(app.grid)) if "12" in line)
        if moved_before:
            await pilot.press("down")
        await pilot.double_click(offset=twelve)
        assert app.selected == [("selected", 1, 0)]


async def test_clicks_beside_the_cells_do_nothing() -> None:
    app = Evaluation()
    async with app.run_test(size=(80, 24)) as pilot:
        for beside in [(0, 0), (20, 0), (0, 3), (79, 3), (20, 23)]:
            await pilot.click(offset=beside)
        assert app.grid.cursor == (0, 0)
        assert app.selected == []


async def test_a_click_finds_the_cell_of_a_scrolled_grid() -> None:
    app = Evaluation(*many(100))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("m")
        app.grid.scroll_relative(x=-3, y=-2, animate=False)
        await pilot.pause()
        here = next((line.find(" 97 ", 9), y) for y, line in enumerate(lines(app.grid)) if " 97 " in line[9:])
        await pilot.click(offset=here)
        assert app.grid.cursor == (97, 98)


async def test_the_compact_picture_says_what_it_leaves_out() -> None:
    app = Evaluation(*many(30), compact=True)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("tab", "down")
        assert app.focused is None
        shown = lines(app.grid)
        assert [line.strip() for line in shown[1:9]] == [f"class {label}" for label in range(8)]
        assert shown[9].strip() == "8 of 30 classes shown"
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert not any("classes shown" in line for line in lines(app.grid))


async def test_the_compact_picture_shows_numbers_only_where_all_fit() -> None:
    app = Evaluation(np.array([[9, 1], [0, 8]]), ["a", "b"], compact=True)
    async with app.run_test(size=(20, 4)) as pilot:
        await pilot.pause()
        assert lines(app.grid)[1].split() == ["a", "9", "1"]
        app.grid.show(np.array([[900, 1], [0, 8]]), ["a", "b"])
        await pilot.pause()
        assert lines(app.grid)[1].split() == ["a"]


async def test_without_colour_the_compact_picture_uses_density(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Evaluation(np.array([[900, 100, 0], [20, 980, 0], [0, 0, 0]]), list("abc"), compact=True)
    async with app.run_test(size=(20, 4)) as pilot:
        await pilot.pause()
        assert [line.rstrip() for line in lines(app.grid)[1:4]] == [" a ███░░░", " b ░░░███", " c"]
        app.grid.show(np.array([[14, 1, 0], [0, 15, 0], [0, 0, 13]]), list("abc"))
        await pilot.pause()
        assert [line.split() for line in lines(app.grid)[1:4]] == [
            ["a", "14", "1", "·"],
            ["b", "·", "15", "·"],
            ["c", "·", "·", "13"],
        ]


async def test_colours_follow_the_shares_and_the_theme() -> None:
    counts = np.array([[50, 40, 10], [0, 100, 0], [4, 0, 96]])
    app = Evaluation(counts, ANIMALS)
    async with app.run_test() as pilot:
        await pilot.press("end")
        assert backgrounds(app.grid, "100") == [(86, 180, 233)], "all of a class right: full blue"
        assert backgrounds(app.grid, "40") == [(213, 94, 0)], "the worst mistake: full vermilion"
        dark = backgrounds(app.grid, "·")[0]
        app.theme = "textual-light"
        await pilot.pause()
        assert backgrounds(app.grid, "·")[0] != dark
