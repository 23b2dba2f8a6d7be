"""The app at Ctrl-Z, and after `fg`."""

from pathlib import Path

import pytest
from textual.widget import Widget
from textual.widgets import Input

from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.widgets.choice import Choice


@pytest.mark.slow
async def test_ctrl_z_suspends_from_a_choice_and_from_a_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended: list[Widget | None] = []
    monkeypatch.setattr(TuiApp, "action_suspend_process", lambda app: suspended.append(app.screen.focused))
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen.focused, Choice))
        choice = app.screen.focused
        await pilot.press("ctrl+z")
        field = app.screen.query(Input).first()
        app.screen.set_focus(field)
        await pilot.press("ctrl+z")
    assert suspended == [choice, field]


@pytest.mark.slow
async def test_all_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal has forgotten the screen, and not every terminal tells that it has the focus again."""
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.current_mode == "configure" and app.screen.is_current)
        drawn: list[tuple[object, ...]] = []
        monkeypatch.setattr(app.screen, "refresh", lambda *regions, **how: drawn.append(regions))
        app.app_resume_signal.publish(app)
        await until(pilot, lambda: () in drawn)
