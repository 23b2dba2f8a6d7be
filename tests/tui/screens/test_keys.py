"""Keys of all screens: whatever is pressed before a screen has its content, and the line that lists them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.screen import Screen

from tests.support.fixtures import WriteRun
from tests.support.narrow import instance, some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.screens.base import MODES
from tui.screens.configure.screen import ConfigureScreen
from tui.screens.dialogs import HelpDialog
from tui.screens.tune.screen import TuneScreen
from tui.widgets.key_line import KeyLine

SMALL = (80, 24)
Make = Callable[[], TuiApp]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_run: WriteRun) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    write_run("2026-01-02_0300_digits-mlp_abc", [0.9, 0.6], accuracy=0.9)
    return lambda: TuiApp(runs_dir=tmp_path / "runs", data_root=tmp_path / "data", values={})


async def opened(pilot: Pilot[Any], mode: str) -> Screen[Any]:
    app = instance(TuiApp, pilot.app)
    await until(pilot, lambda: app.current_mode == "runs" and app.screen.is_current)
    app.action_go(mode)
    await until(
        pilot, lambda: app.current_mode == mode and any(line.shown for line in app.screen.query(KeyLine))
    )
    return app.screen


def shown(screen: Screen[Any]) -> list[str]:
    return [key.text for key in screen.query_one(KeyLine).shown]


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "kind"), [("configure", ConfigureScreen), ("tune", TuneScreen)])
async def test_keys_pressed_before_a_form_is_made_do_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch, mode: str, kind: type[ConfigureScreen] | type[TuneScreen]
) -> None:
    async def not_yet(screen: object) -> None:
        pass

    monkeypatch.setattr(kind, "refresh_content", not_yet)
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, mode)
        for key in some(kind._merged_bindings).key_to_bindings.keys() - {"question_mark", "f1"}:
            await pilot.press(key)
            if app.screen is not screen:  # what opens a dialog needs no form
                await pilot.press("escape")
        assert not instance(kind, screen).built


def has_width(screen: Screen[Any], width: int) -> bool:
    return screen.query_one(KeyLine).size.width == width


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
async def test_no_key_is_cut_and_the_last_one_opens_the_help(make: Make, mode: str) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, mode)
        for width in (140, 110, 109, 80, 50):
            await pilot.resize_terminal(width, 24)
            await until(pilot, partial(has_width, screen, width))
            await pilot.pause()
            keys = [text for text in shown(screen) if text != "^p palette"]
            gap = 1 if width < 110 else 2
            assert sum(cell_len(text) + gap for text in keys) <= width - (15 if width >= 110 else 0), width
            assert keys[-1] in ("? help", "f1 help")
            assert ("^p palette" in shown(screen)) == (width >= 110)


@pytest.mark.slow
async def test_a_key_beside_the_last_one_that_has_room_is_shown_again_when_there_is_more(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, "runs")
        await pilot.resize_terminal(40, 24)
        await until(pilot, lambda: "x delete" not in shown(screen))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "x delete" in shown(screen))
        await pilot.press("slash")
        await until(pilot, lambda: shown(screen)[-1] == "f1 help")


@pytest.mark.slow
async def test_a_page_shows_its_keys_before_it_is_clicked(make: Make) -> None:
    app = make()
    async with app.run_test(size=(120, 40)) as pilot:
        app.app_focus = False
        screen = await opened(pilot, "runs")
        await until(pilot, lambda: {"c reuse", "o sort", "w use", "? help"} <= {*shown(screen)})
        assert not app.app_focus


@pytest.mark.slow
async def test_the_help_says_first_what_the_screen_is_for(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, "runs")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await until(pilot, lambda: bool(app.screen.query_one(".keys").region))
        purpose, keys = (app.screen.query_one(part).region for part in (".purpose", ".keys"))
        assert purpose.height
        assert purpose.bottom <= keys.y
        assert app.screen.region.contains_region(purpose)


@pytest.mark.slow
async def test_the_help_says_that_there_is_more_below_as_long_as_there_is(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, "runs")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        body = app.screen.query_one(VerticalScroll)
        await until(pilot, lambda: body.border_subtitle == "↓ more  esc closes")
        await pilot.press("end")
        await until(pilot, lambda: body.border_subtitle == "esc closes")
        await pilot.resize_terminal(80, 70)
        await until(pilot, lambda: not body.show_vertical_scrollbar)
        assert body.border_subtitle == "esc closes"


@pytest.mark.slow
async def test_the_way_out_of_a_field_is_shown_while_it_takes_the_letters(make: Make) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = instance(ConfigureScreen, await opened(pilot, "configure"))
        await until(pilot, lambda: screen.built)
        assert "esc leave" not in shown(screen)
        screen.form.fields["optimizer.lr"].editor.focus()
        await until(pilot, lambda: shown(screen)[:1] == ["esc leave"])
        assert shown(screen)[-1] == "f1 help"
        await pilot.press("escape")
        await until(pilot, lambda: shown(screen)[-1] == "? help")


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "fields"), [("live", False), ("compare", False), ("configure", True)])
async def test_a_field_is_left_only_where_there_are_fields(make: Make, mode: str, fields: bool) -> None:
    app = make()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot, mode)
        await until(pilot, lambda: not fields or instance(ConfigureScreen, screen).built)
        assert ("escape" in screen.active_bindings) == fields
