import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Static

from tests.support.screen import foreground
from tui.widgets.panel import Panel, legend


class OnePanel(App[None]):
    def __init__(self, title: str | Content, subtitle: str | Content = "") -> None:
        super().__init__()
        self.panel = Panel(Static("inside"))
        self.panel.border_title = title
        self.panel.border_subtitle = subtitle

    def compose(self) -> ComposeResult:
        yield self.panel

    def edge(self, y: int) -> Strip:
        return self.panel.render_lines(self.panel.outer_size.region)[y]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("loss", "─ loss ─"),
        ("[red]x[/] [b", "─ [red]x[/] [b ─"),
        ("two\nlines \x1b[31m", "─ two⏎lines ␛[31m ─"),
        ("猫", "─ 猫 ─"),
        ("", "╭──"),
    ],
)
async def test_titles_are_shown_as_they_are_written(title: str, shown: str) -> None:
    app = OnePanel(title, subtitle=title)
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        for y, corner in [(0, "╭"), (4, "╰")]:
            edge = app.edge(y).text
            assert shown.replace("╭", corner) in edge
            assert cell_len(edge) == 40


async def test_a_legend_colours_the_dash_and_writes_the_name() -> None:
    app = OnePanel(legend("loss", train="rgb(86,180,233)", validation="rgb(230,159,0)"), "best 0.214")
    async with app.run_test(size=(50, 5)) as pilot:
        await pilot.pause()
        assert "─ loss  ━ train  ━ validation ─" in app.edge(0).text
        dashes = [foreground(segment) for segment in app.edge(0) if segment.text == "━"]
        assert dashes == [(86, 180, 233), (230, 159, 0)]
        assert app.edge(4).text.endswith(" best 0.214 ─╯")


async def test_a_long_title_is_cut() -> None:
    app = OnePanel("a very long title indeed")
    async with app.run_test(size=(13, 4)) as pilot:
        await pilot.pause()
        assert app.edge(0).text == "╭─ a very… ─╮"


async def test_a_new_title_draws_its_line_alone() -> None:
    app = OnePanel("loss 0.5", "best 0.5")
    async with app.run_test(size=(40, 5)) as pilot:
        await pilot.pause()
        app.panel.border_title = "loss 0.25"
        assert app.panel._repaint_regions == {Region(0, 0, 40, 1)}
        app.panel.border_subtitle = "best 0.25"
        assert app.panel._repaint_regions == {Region(0, 0, 40, 1), Region(0, 4, 40, 1)}
        await pilot.pause()
        shown = ["".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()]
        assert " loss 0.25 " in shown[0]
        assert " best 0.25 " in shown[4]
        app.panel.border_title = "loss 0.25"
        assert app.panel._repaint_regions == set()
