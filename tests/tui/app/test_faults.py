"""A fault of the app is shown, and ends neither the app nor the run in it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from core.errors import TorchtuiError
from tests.support.narrow import instance
from tests.support.waiting import until
from tui.app import faults
from tui.app.app import TuiApp
from tui.app.palette import Palette
from tui.cli.opening import open_app
from tui.screens.dialogs import Ask, ErrorDialog
from tui.terminal.textual_private import is_late_press

pytestmark = pytest.mark.slow

SIZE = (120, 40)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuiApp:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    return TuiApp(runs_dir=tmp_path / "runs")


async def opened(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: pilot.app.current_mode == "configure" and pilot.app.screen.query("#form"))


def fail() -> None:
    raise ZeroDivisionError("in a [handler]")


def double_click(app: TuiApp, x: int, y: int) -> None:
    """Click twice in one burst, as the driver of a terminal sends it."""
    for kind in (events.MouseDown, events.MouseUp) * 2:
        app.post_message(kind(None, x, y, 0, 0, 1, False, False, False))


async def test_a_handler_that_raises_ends_its_own_message_only(app: TuiApp) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # the test of an app fails at its end
        async with app.run_test(size=SIZE) as pilot:
            await opened(pilot)
            for node in (app, app.screen, app.screen.query(Static).first()):
                node.call_later(fail)
            await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
            shown = instance(ErrorDialog, app.screen)
            assert "ZeroDivisionError: in a [handler]" in str(shown.error)
            assert "The app continues" in str(instance(TorchtuiError, shown.error).hint)
            assert "in fail" in shown.trace
            await pilot.press("escape")
            await until(pilot, lambda: app.screen.query("#form"))  # once for all three
            await pilot.press("1")
            await until(pilot, lambda: app.current_mode == "runs")
    assert not app.return_code


async def test_a_widget_that_cannot_be_drawn_leaves_the_others(app: TuiApp) -> None:
    class Broken(Static):
        def render_lines(self, crop: Any) -> Any:
            fail()

    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # as above
        async with app.run_test(size=SIZE) as pilot:
            await opened(pilot)
            await app.screen.mount(Broken("text"))
            await until(pilot, lambda: isinstance(app.screen, ErrorDialog))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen.query(Broken))
            await pilot.press("1")
            await until(pilot, lambda: app.current_mode == "runs")


def test_the_app_gives_up_where_faults_have_no_end(app: TuiApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MAX_FAULTS", 3)
    monkeypatch.setattr(app, "call_later", lambda *given: None)
    assert not faults.Faults().survive(app, ZeroDivisionError())  # before there is a screen
    monkeypatch.setattr(TuiApp, "current_mode", "runs")
    many = faults.Faults()
    assert [many.survive(app, ZeroDivisionError()) for _ in range(4)] == [True, True, True, False]


async def test_a_dialog_closes_once(app: TuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        form, ask = app.screen, Ask("sure?", {"no": "No"})
        app.push_screen(ask)
        await until(pilot, lambda: app.screen is ask)
        ask.dismiss("no")
        ask.dismiss("no")
        await until(pilot, lambda: app.screen is form)


async def test_two_clicks_beside_the_palette_close_it(app: TuiApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Palette))
        double_click(app, 2, 1)
        await until(pilot, lambda: app.screen.query("#form"))


async def test_a_press_on_text_that_is_being_replaced_does_nothing(
    app: TuiApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = SimpleNamespace(allow_select=True, parent=None)
    async with app.run_test(size=SIZE) as pilot:
        await opened(pilot)
        monkeypatch.setattr(app.screen, "get_widget_and_offset_at", lambda x, y: (removed, None))
        app.post_message(events.MouseDown(None, 0, 0, 0, 0, 1, False, False, False))
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "runs")


def test_only_a_press_that_textual_fails_on_is_late() -> None:
    press = events.MouseDown(None, 0, 0, 0, 0, 1, False, False, False)
    with pytest.raises(ZeroDivisionError) as ours:
        fail()
    assert not is_late_press(press, ours.value)
    with pytest.raises(AttributeError) as theirs:
        events.MouseDown.get_content_offset(press, None)  # type: ignore[arg-type]  # as Textual does there
    assert is_late_press(press, theirs.value)
    assert not is_late_press(events.Key("a", "a"), theirs.value)


def test_a_run_is_handed_over_when_the_app_ends_unasked(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def end(app: TuiApp) -> None:
        raise ZeroDivisionError

    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setenv("TEXTUAL_DRIVER", "any")
    monkeypatch.setattr("tui.app.hangup.survive_hangup", lambda app, capture: None)
    monkeypatch.setattr("tui.app.hangup.ignore_late_hangup", lambda: None)
    monkeypatch.setattr("tui.terminal.graphics.ask_for_graphics", lambda meanwhile: meanwhile())
    monkeypatch.setattr(TuiApp, "run", end)
    monkeypatch.setattr(TuiApp, "training_here", True)
    monkeypatch.setattr(TuiApp, "detach", lambda app: "it continues in the background")
    with pytest.raises(ZeroDivisionError):
        open_app(runs=tmp_path)
    assert "it continues in the background" in capfd.readouterr().err
