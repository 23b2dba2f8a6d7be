"""The plot: its layout for any data, and what is not drawn twice."""

import io
import math
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.style import Style

from tests.support.narrow import instance, some
from tests.support.screen import background, foreground
from tests.support.waiting import until
from tui.charts import plot
from tui.charts.plot import Chart, Mark, Plot, Series, draw, legend
from tui.charts.plot_axes import Scale, scale_for, x_ticks, y_ticks
from tui.charts.plot_chart import LineStyle, Range
from tui.charts.plot_layout import Layout, Row

BLUE, ORANGE, YELLOW = (86, 180, 233), (230, 159, 0), (240, 228, 66)


@pytest.fixture(autouse=True)
def colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


def text(rows: list[Row]) -> list[str]:
    return ["".join(part for part, _ in row) for row in rows]


def inked(rows: list[Row], ink: object) -> list[tuple[int, int]]:
    """Row and column of every visible cell in an ink."""
    cells = []
    for y, row in enumerate(rows):
        x = 0
        for part, part_ink in row:
            cells += [(y, x + i) for i, letter in enumerate(part) if part_ink == ink and letter != " "]
            x += len(part)
    return cells


def line(y: ArrayLike, **options: Any) -> Chart:
    values = np.asarray(y, dtype=float)
    return Chart((Series("train", np.arange(values.size), values, BLUE),), **options)


numbers = st.floats(width=64) | st.sampled_from([0.0, 1.0, -1.0, 1e30, 1e-12, 5e-324, math.inf, math.nan])
ends = st.none() | numbers
points = st.lists(st.tuples(numbers, numbers), max_size=40)
styles = st.sampled_from(["line", "steps", "points"])


class TestWhateverTheData:
    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(st.tuples(points, styles), max_size=3),
        st.integers(0, 60),
        st.integers(0, 20),
        st.fixed_dictionaries(
            {
                "log_x": st.booleans(),
                "log_y": st.booleans(),
                "x_range": st.tuples(ends, ends),
                "y_range": st.tuples(ends, ends),
                "x_integer": st.booleans(),
                "x_label": st.text(max_size=8),
                "y_label": st.text(max_size=8),
            }
        ),
        st.lists(st.tuples(numbers, ends, st.text(max_size=2), st.text(max_size=6)), max_size=3),
    )
    def test_every_row_fills_its_cells(
        self,
        curves: list[tuple[list[tuple[float, float]], LineStyle]],
        width: int,
        height: int,
        options: dict[str, Any],
        places: list[tuple[float, float | None, str, str]],
    ) -> None:
        series = tuple(
            Series("s", [x for x, _ in data], [y for _, y in data], BLUE, style=style)
            for data, style in curves
        )
        marks = tuple(Mark(x, y, symbol=symbol, text=note) for x, y, symbol, note in places)
        rows = text(draw(Chart(series, marks, **options), width, height))
        assert [cell_len(row) for row in rows] == [width] * height

    @pytest.mark.parametrize(
        "values",
        [
            [0.5],
            [2, 2, 2],
            [1e30, -1e30],
            [1e-12, 2e-12],
            [0, 1e300],
            [1.0, 1.0 + 1e-12],
            [math.nan, 3, math.inf],
        ],
    )
    def test_extreme_values_are_drawn(self, values: list[float]) -> None:
        rows = draw(line(values), 40, 10)
        assert inked(rows, BLUE)
        assert inked(rows[-1:], "label")

    @pytest.mark.parametrize("chart", [Chart(), line([]), line([math.nan] * 5), line([-1, 0], log_y=True)])
    def test_nothing_to_draw_is_said(self, chart: Chart) -> None:
        assert text(draw(chart, 40, 9))[4].strip() == "no data yet"

    def test_values_far_outside_a_given_range_cost_nothing(self) -> None:
        rows = draw(line([0.5, 1e300, 0.5, -1e300, 0.5], y_range=(0, 1)), 40, 10)
        assert {row for row, _ in inked(rows, BLUE)} == set(range(8))

    def test_a_nan_breaks_the_line(self) -> None:
        values = np.full(100, 0.5)
        values[40:60] = np.nan
        rows = draw(line(values, x_range=(0, 100)), 60, 10)
        columns = {column for _, column in inked(rows, BLUE)}
        gap = set(range(min(columns), max(columns))) - columns
        assert 10 <= len(gap) <= 12
        assert max(gap) - min(gap) == len(gap) - 1

    def test_values_off_a_log_axis_are_dropped(self) -> None:
        rows = draw(line([100, 0, -5, 1, 10], log_y=True), 40, 12)
        assert [row.split("┤")[0].strip() for row in text(rows) if "┤" in row][::-1] in (
            ["1", "10", "100"],
            ["1", "2", "5", "10", "20", "50", "100"],
        )

    def test_values_off_a_log_axis_hide_none_beside_them(self) -> None:
        values = np.tile([0.0, 1.0, 100.0], 3000)
        cells = inked(draw(line(values, log_y=True), 60, 12), BLUE)
        assert len([column for row, column in cells if row == max(cells)[0]]) > 50

    def test_steps_hold_each_value_until_the_next(self) -> None:
        chart = Chart((Series("", [0, 1, 2], [0, 1, 1], BLUE, style="steps"),), y_range=(0, 1))
        heights = [
            {row for row, column in inked(draw(chart, 60, 12), BLUE) if column == at} for at in (20, 45)
        ]
        assert heights == [{9}, {0}]

    def test_one_spike_is_seen_in_a_long_series(self) -> None:
        values = np.zeros(100_000)
        values[31_000] = 1.0
        rows = draw(line(values, y_range=(0, 1)), 60, 12)
        assert any(row == 0 for row, _ in inked(rows, BLUE))


class TestAxes:
    def test_a_point_stands_at_its_ticks(self) -> None:
        chart = Chart(
            (Series("", [4.0, 8.0], [0.4, 0.1], BLUE, marker="o", style="points"),),
            x_range=(0, 13),
            y_range=(0, 1),
        )
        rows = text(draw(chart, 75, 20))
        row = next(row for row in rows if row.lstrip().startswith("0.4"))
        assert rows[-1][row.index("o")] == "4"
        assert rows[-2][row.index("o")] == "┬"

    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [
            (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (0, 13, ["0", "2", "4", "6", "8", "10", "12"]),
            (0, 10_000_000, ["0", "2M", "4M", "6M", "8M", "10M"]),
            (-1e-6, 1e-6, ["-1.0e-6", "-0.5e-6", "0", "0.5e-6", "1.0e-6"]),
            (0.31, 0.69, ["0.35", "0.40", "0.45", "0.50", "0.55", "0.60", "0.65"]),
            (0, 3e30, ["0", "1e30", "2e30", "3e30"]),
        ],
    )
    def test_numbers_are_round(self, low: float, high: float, expected: list[str]) -> None:
        assert [label for _, _, label in x_ticks(Scale(low, high), 64, 4)] == expected

    def test_a_single_number_has_all_its_digits(self) -> None:
        assert [label for _, _, label in x_ticks(Scale(0.21, 0.29), 8, 4)] == ["0.25"]

    def test_log_numbers_are_powers_of_ten_or_one_two_five(self) -> None:
        assert [label for _, label in y_ticks(Scale(-4, 1, log=True), 20)] == [
            "1e-4", "0.001", "0.01", "0.1", "1", "10",
        ]  # fmt: skip
        assert [label for _, label in y_ticks(Scale(0, 1.5, log=True), 20)] == ["1", "2", "5", "10", "20"]

    def test_epochs_are_whole_numbers(self) -> None:
        for last in range(1, 40):
            chart = Chart((Series("", np.arange(1, last + 1), np.zeros(last)),), x_integer=True)
            assert all(part.isdigit() for part in text(draw(chart, 60, 9))[-1].split())

    @given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.booleans(), st.integers(8, 200), st.integers(1, 9))
    @settings(deadline=None)
    def test_numbers_never_touch(self, low: float, length: float, log: bool, cells: int, left: int) -> None:
        scale = Scale(low % 20, low % 20 + length % 20 + 1e-3, log=True) if log else Scale(low, low + length)
        ticks = x_ticks(scale, cells, left)
        for (_, start, label), (_, following, _) in pairwise(ticks):
            assert following - start - len(label) >= 2
        assert all(-left <= start and start + len(label) <= cells for _, start, label in ticks)
        rows = [row for row, _ in y_ticks(scale, max(3, cells // 4))]
        assert len(rows) >= 2
        assert all(after - before >= 2 for before, after in pairwise(rows))

    @pytest.mark.parametrize(
        ("values", "asked", "roomy", "low", "high"),
        [
            ([0.1, 10.0], (None, None), True, 0.0, 10.5),
            ([5.0, 10.0], (None, None), True, 4.8, 10.2),
            ([-5.0, -0.01], (None, None), True, -5.2, 0.0),
            ([5.0, 10.0], (0, None), False, 0.0, 10.0),
            ([5.0, 10.0], (12, 2), True, 2.0, 12.0),
            ([7.0], (None, None), False, 6.3, 7.7),
        ],
    )
    def test_an_axis_holds_its_values(
        self, values: list[float], asked: Range, roomy: bool, low: float, high: float
    ) -> None:
        scale = scale_for([np.array(values)], asked, roomy=roomy)
        assert scale is not None
        assert (scale.low, scale.high) == pytest.approx((low, high))

    def test_an_axis_rests_while_its_values_shiver(self) -> None:
        scales = {
            scale_for([np.array([0.11, 2.2 + shift])], (None, None), roomy=True) for shift in (0, 0.01, 0.02)
        }
        assert len(scales) == 1

    def test_the_numbers_do_not_reach_into_the_curves_and_the_names_do_not_cover_them(self) -> None:
        chart = line(np.linspace(1, 0, 50), x_label="step", y_label="loss")
        rows = text(draw(chart, 60, 12))
        assert "step" in rows[-1]
        assert rows[0].endswith("loss")
        assert "loss" not in text(draw(line([1, 1], y_label="loss", y_range=(0, 1)), 60, 12))[0]

    @pytest.mark.parametrize(("width", "height", "axes"), [(20, 5, True), (19, 5, False), (20, 4, False)])
    def test_below_20_by_5_there_are_only_curves(self, width: int, height: int, axes: bool) -> None:
        rows = draw(line([1, 2, 3]), width, height)
        assert bool(inked(rows, "axis")) is axes
        assert inked(rows, BLUE)


class TestMarks:
    def test_a_mark_stands_on_its_point_with_its_text_beside_it(self) -> None:
        chart = line(
            [0, 1, 0.5, 1],
            marks=(Mark(2, 0.5, "★", YELLOW, "best"),),
            y_range=(0, 1),
            x_range=(0, 4),
            x_integer=True,
        )
        rows = text(draw(chart, 60, 12))
        row = next(row for row in rows if "★" in row)
        assert row.lstrip().startswith("0.5")
        assert rows[-1][row.index("★")] == "2"
        assert any("best" in row for row in rows)

    @pytest.mark.parametrize("y", [None, math.nan])
    def test_a_mark_without_a_value_stands_on_the_axis(self, y: float | None) -> None:
        rows = text(draw(line([1, 2, 3], marks=(Mark(1, y, "✗", text="NaN"),)), 60, 12))
        assert "✗" in rows[-2]
        assert "✗ " not in rows[-1]
        assert "NaN" in rows[-3]

    def test_a_mark_outside_is_not_drawn(self) -> None:
        marks = (Mark(9, 1, "★"), Mark(1, 99, "★"), Mark(math.inf, 1, "★"), Mark(math.nan, None, "★"))
        assert "★" not in "".join(text(draw(line([1, 2, 3], marks=marks, y_range=(0, 3)), 60, 12)))

    def test_text_from_data_is_shown_and_wide_characters_take_two_cells(self) -> None:
        chart = line([0, 1], marks=(Mark(0.5, 0.1, "★", text="\x1b[31m[b]世界"),), y_range=(0, 1))
        rows = text(draw(chart, 60, 12))
        assert any("␛[31m[b]世界" in row for row in rows)
        assert {cell_len(row) for row in rows} == {60}

    def test_a_mark_on_half_of_a_wide_character_leaves_the_other_half_blank(self) -> None:
        for x in np.linspace(0.5, 0.9, 30):
            marks = (Mark(0.5, 0.1, "★", text="世界世界"), Mark(x, 0.1, "●"))
            assert {
                cell_len(row) for row in text(draw(line([0, 1], marks=marks, y_range=(0, 1)), 60, 12))
            } == {60}


class TestTellingSeriesApart:
    CHART = Chart(
        (
            Series("", [0, 1], [0, 1]),
            Series("train", [0, 1], [0, 0], BLUE),
            Series("val", [0, 1], [1, 1], ORANGE),
        )
    )

    def test_each_series_has_its_colour_and_reference_lines_the_quiet_one(self) -> None:
        rows = draw(self.CHART, 40, 12)
        assert inked(rows, BLUE)
        assert inked(rows, ORANGE)
        curves = [row[2:] for row in rows[:-2]]
        assert any(ink == "axis" for row in curves for _, ink in row)

    def test_without_colour_each_has_its_marker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        rows = text(draw(self.CHART, 40, 12))
        assert "▀" in rows[0]
        assert "⣀" in rows[-3]
        assert "·" in rows[5]
        assert legend(self.CHART).plain == "━ train  ■ val"

    def test_without_unicode_there_is_only_ascii(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "__stderr__", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
        chart = Chart(
            self.CHART.series, (Mark(0.5, 0.3, "★", text="best"), Mark(0.2, None, "✗")), x_label="epoch"
        )
        drawn = "\n".join(text(draw(chart, 40, 12)))
        assert drawn.isascii()
        assert {"*", "o", "."} <= set(drawn)
        assert legend(chart).plain == "* train  o val"

    def test_the_legend_is_no_markup_and_sends_no_control_characters(self) -> None:
        content = legend(
            Chart((Series("[red]a\x1b[2J", [], [], BLUE), Series("", [], []), Series("b", [], [], ORANGE)))
        )
        assert content.plain == "━ [red]a␛[2J  ━ b"
        assert [
            (span.start, span.end, some(instance(Style, span.style).foreground).rgb) for span in content.spans
        ] == [
            (0, 1, BLUE),
            (14, 15, ORANGE),
        ]

    def test_a_series_of_unequal_lists_is_refused(self) -> None:
        with pytest.raises(ValueError, match="same length"):
            Series("train", [1, 2], [1])

    def test_a_marker_that_is_no_character_is_refused(self) -> None:
        with pytest.raises(ValueError, match="one of braille, hd"):
            Series("train", [1], [1], marker="dots")


def test_leaving_out_the_colour_search_of_plotext_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart(
        (
            Series("a", np.arange(200), np.random.default_rng(0).normal(size=200), BLUE),
            Series("b", np.arange(9), np.arange(9.0) ** 2, ORANGE, style="steps"),
            Series("c", np.arange(9), -np.arange(9.0), YELLOW, marker="o", style="points"),
        )
    )
    fast = draw(chart, 75, 18)
    plot._signal.cache_clear()
    monkeypatch.setattr(plot, "unlisted", lambda signal: signal)
    assert draw(chart, 75, 18) == fast
    plot._signal.cache_clear()


class Plots(App[None]):
    CSS = "Screen { background: #102030; } #hidden { display: none; }"

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart

    def compose(self) -> ComposeResult:
        yield Plot(self.chart, id="seen")
        with Vertical(id="hidden"):
            yield Plot(id="unseen")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The label of the first series of every chart whose curves are drawn."""
    labels: list[str] = []

    def draw_curves(chart: Chart, layout: Layout) -> list[Row]:
        labels.append(chart.series[0].label)
        return original(chart, layout)

    original = plot.draw_curves
    monkeypatch.setattr(plot, "draw_curves", draw_curves)
    return labels


class TestWidget:
    async def test_shows_colours_on_the_background_of_the_screen(self) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            segments = [segment for y in range(12) for segment in app.query_one("#seen", Plot).render_line(y)]
            coloured = [segment for segment in segments if some(segment.style).color]
            assert BLUE in {tuple(foreground(segment)) for segment in coloured}
            assert {tuple(background(segment)) for segment in segments} == {(16, 32, 48)}

    async def test_draws_only_what_changed(self, drawn: list[str]) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            shown = app.query_one("#seen", Plot)
            assert drawn == ["train"]
            shown.show(line([1, 2, 3]))
            shown.show(line([1, 2, 3], marks=(Mark(1, 2, "●"),)))
            assert drawn == ["train"]
            assert "●" in "".join(shown.render_line(y).text for y in range(12))
            strips = [shown.render_line(y) for y in range(12)]
            shown.show(line([1, 2, 3], marks=(Mark(1, 3, "●"),)))
            changed = [y for y in range(12) if shown.render_line(y) is not strips[y]]
            assert len(changed) == 2
            shown.show(line([3, 2, 1]))
            assert drawn == ["train", "train"]

    async def test_a_chart_of_a_short_while_ago_is_not_drawn_again(self, drawn: list[str]) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            shown = app.query_one("#seen", Plot)
            first = [shown.render_line(y).text for y in range(12)]
            shown.show(line([3, 1, 2]))
            other = [shown.render_line(y).text for y in range(12)]
            shown.show(line([1, 2, 3], marks=(Mark(1, 2, "●"),)))
            assert "●" in "".join(shown.render_line(y).text for y in range(12))
            shown.show(line([1, 2, 3]))
            assert [shown.render_line(y).text for y in range(12)] == first != other
            assert drawn == ["train", "train"]

    async def test_a_plot_nobody_sees_is_drawn_when_it_appears(self, drawn: list[str]) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 24)) as pilot:
            await pilot.pause()
            unseen = app.query_one("#unseen", Plot)
            for label in ("first", "second", "last"):
                unseen.show(Chart((Series(label, [1, 2], [1, 2], BLUE),)))
                await pilot.pause()
            assert drawn == ["train"]
            app.query_one("#hidden").styles.display = "block"
            await until(pilot, lambda: len(drawn) > 1)
            assert drawn.count("last") == 1
            assert not {"first", "second"} & set(drawn)
            # Textual counts the screen right under the uppermost one as visible.
            await app.push_screen(Screen())
            await app.push_screen(Screen())
            unseen.show(Chart((Series("covered", [1, 2], [1, 2], BLUE),)))
            assert "covered" not in drawn
            await app.pop_screen()
            await app.pop_screen()
            await pilot.pause()
            assert drawn.count("covered") == 1

    async def test_a_plot_without_a_place_only_remembers_its_chart(self, drawn: list[str]) -> None:
        plot = Plot()
        plot.show(line([1, 2]))
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            shown = app.query_one("#seen", Plot)
            await shown.remove()
            shown.show(line([3, 2, 1]))
        assert drawn == ["train"]
        assert (plot.chart, shown.chart) == (line([1, 2]), line([3, 2, 1]))

    async def test_a_new_size_is_drawn_anew(self) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            await pilot.resize_terminal(70, 9)
            await pilot.pause()
            shown = app.query_one("#seen", Plot)
            assert [shown.render_line(y).cell_length for y in range(9)] == [70] * 9
            assert [cell_len(shown.render_line(y).text) for y in range(9)] == [70] * 9

    async def test_a_new_theme_colours_the_axes_anew(self) -> None:
        app = Plots(line([1, 2, 3]))
        async with app.run_test(size=(40, 12)) as pilot:
            await pilot.pause()
            shown = app.query_one("#seen", Plot)
            before = [some(segment.style).color for segment in shown.render_line(11)]
            app.theme = "textual-light"
            await pilot.pause()
            after = [some(segment.style).color for segment in shown.render_line(11)]
            assert before != after
