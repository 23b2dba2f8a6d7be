"""The console in Live and Runs: what own code printed, followed, searched, harmless."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from core.interop.writer import RunWriter
from core.runs.folder import Run
from tests.support.narrow import instance, some
from tests.support.screen import lines, screen_text
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.screens.console_panel import NOTHING, ConsolePanel, ConsoleView, kind_of
from tui.screens.live.screen import LiveScreen
from tui.screens.runs.run_preview import RunPreview
from tui.screens.runs.screen import RunsScreen

SIZE = (120, 36)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    with RunWriter("loud", runs_dir=tmp_path) as writer:
        writer.epoch({"loss": 1.0}, {"loss": 1.0})
    printed = (
        "loading words\nnet.py:3: UserWarning: careful\n[bold]\x1b[31mred\x1b[0m\x1b]2;title\x07\r 50%\r100%"
    )
    writer.run.console_file.write_text(printed)
    return writer.run


async def shown(pilot: Pilot[None], app: TuiApp) -> ConsolePanel:
    """Wait for the console, and return it."""
    await until(pilot, lambda: isinstance(app.screen, LiveScreen))
    await pilot.press("t")
    panel = app.screen.query_one(ConsolePanel)
    await until(pilot, lambda: panel.view.rows)
    return panel


def has_title(panel: ConsolePanel, title: str) -> bool:
    return bool(panel.border_title == title)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("epoch 1 loss 0.5", ""),
        ("no errors, no warnings", ""),
        ("net.py:3: UserWarning: careful", "warning"),
        ("WARNING:root:careful", "warning"),
        ("warning: careful", "warning"),
        ("Traceback (most recent call last):", "error"),
        ("ValueError: no", "error"),
        ("ERROR:root:no", "error"),
        ("error: no", "error"),
    ],
)
def test_warnings_and_errors_are_found(line: str, kind: str) -> None:
    assert kind_of(line) == kind


@pytest.mark.slow
async def test_it_shows_plain_lines_and_follows_them(run: Run) -> None:
    app = TuiApp(runs_dir=run.path.parent, follow=run)
    async with app.run_test(size=SIZE) as pilot:
        panel = await shown(pilot, app)
        assert [line.rstrip() for line in lines(panel.view)[:4]] == [
            "  loading words",
            "▲ net.py:3: UserWarning: careful",
            "  100%d]red",
            "",
        ]
        with run.console_file.open("a") as file:
            file.write("\n" + "".join(f"line {number}\n" for number in range(100)) + "open")
        await until(pilot, lambda: panel.border_title == "console  103 lines, 1 warning")
        await until(pilot, lambda: lines(panel.view)[-1].rstrip() == "  open")
        await pilot.press("home")
        await until(pilot, lambda: lines(panel.view)[0].rstrip() == "  loading words")
        with run.console_file.open("a") as file:
            file.write("ed\nlast\n")
        await until(pilot, lambda: panel.border_title == "console  105 lines, 1 warning")
        assert lines(panel.view)[0].rstrip() == "  loading words", "nothing jumps while it is read"
        await pilot.press("end")
        await until(pilot, lambda: lines(panel.view)[-1].rstrip() == "  last")
        assert lines(panel.view)[-2].rstrip() == "  opened"


@pytest.mark.slow
async def test_warnings_alone_a_text_and_back(run: Run) -> None:
    app = TuiApp(runs_dir=run.path.parent, follow=run)
    async with app.run_test(size=SIZE) as pilot:
        panel = await shown(pilot, app)
        await pilot.press("w")
        assert [text for _, text in panel.view.rows] == ["net.py:3: UserWarning: careful"]
        assert panel.border_subtitle == "1 warning  esc all"
        await pilot.press("w", "slash", *"LOAD", "enter")
        assert [text for _, text in panel.view.rows] == ["loading words"]
        assert panel.border_subtitle == "1 line with 'LOAD'  esc all"
        await pilot.press("escape")
        assert len(panel.view.rows) == 3
        assert panel.display
        await pilot.press("escape")
        await until(pilot, lambda: not panel.display)


@pytest.mark.slow
async def test_in_runs_it_is_that_of_the_run_under_the_cursor(run: Run) -> None:
    with RunWriter("quiet", runs_dir=run.path.parent):
        pass
    app = TuiApp(runs_dir=run.path.parent)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.current_mode == "runs" and app.screen.query("RunsTable"))
        screen = instance(RunsScreen, app.screen)
        panel = screen.query_one(ConsolePanel)
        titles = {"quiet": "console  0 lines", "loud": "console  2 lines, 1 warning"}
        while titles:
            await until(pilot, lambda: screen.selected and screen.check_action("console", ()))
            await pilot.press("t")
            title = titles.pop(some(screen.selected).run.id.split("_")[2])
            await until(pilot, partial(has_title, panel, title))
            await pilot.press("escape")
            await until(pilot, lambda: not panel.display)
            await pilot.press("down")

        await pilot.resize_terminal(80, 24)  # with the preview, too, the table keeps both runs below its head
        await pilot.press("p", "t")
        preview = screen.query_one(RunPreview)
        await until(pilot, lambda: panel.size.height > 2 and preview.size.height > 2)
        assert screen.table.size.height >= 3


class Lines(App[None]):
    """An app with the lines of a console alone."""

    def compose(self) -> ComposeResult:
        yield ConsoleView()


def numbered(first: int, end: int) -> list[tuple[str, str]]:
    return [("", f"line {number}") for number in range(first, end)]


async def test_more_lines_are_laid_out_only_where_a_scrollbar_comes_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = Lines()
    async with app.run_test(size=(40, 10)) as pilot:
        view = app.query_one(ConsoleView)
        laid_out: list[int] = []
        usual = app.screen._refresh_layout

        def noted(*given: Any, **named: Any) -> None:
            laid_out.append(len(view.rows))
            usual(*given, **named)

        monkeypatch.setattr(app.screen, "_refresh_layout", noted)
        view.add(numbered(0, 5), instead_of_last=False)
        await pilot.pause()
        assert not laid_out
        view.add(numbered(5, 50), instead_of_last=False)
        await until(pilot, lambda: view.show_vertical_scrollbar and laid_out)
        await pilot.pause()
        laid_out.clear()
        for first in range(50, 500, 50):
            view.add(numbered(first, first + 50), instead_of_last=False)
            await pilot.pause()
            assert lines(view)[9].split() == ["line", str(first + 49)]
            assert view.vertical_scrollbar.window_virtual_size == first + 50
            assert view.vertical_scrollbar.position == first + 40
        assert not laid_out
        view.add([("", "long " * 20)], instead_of_last=False)
        await until(pilot, lambda: view.show_horizontal_scrollbar)


async def test_that_nothing_was_printed_is_said_in_as_many_lines_as_it_takes() -> None:
    class Lines(App[None]):
        def compose(self) -> ComposeResult:
            yield ConsoleView()

    async with Lines().run_test(size=(40, 6)) as pilot:
        view = pilot.app.query_one(ConsoleView)
        await pilot.pause()
        view.empty = NOTHING
        await pilot.pause()
        assert " ".join(screen_text(pilot.app).split()) == NOTHING
