"""The app after Ctrl-Z and `fg`."""

from pathlib import Path

import pytest

from tests.support.waiting import until
from tui.app.app import TuiApp


async def test_all_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal has forgotten the screen, and not every terminal tells that it has the focus again."""
    app = TuiApp(runs_dir=tmp_path / "runs")
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.current_mode == "configure" and app.screen.is_current)
        drawn: list[tuple[object, ...]] = []
        monkeypatch.setattr(app.screen, "refresh", lambda *regions, **how: drawn.append(regions))
        app.app_resume_signal.publish(app)
        await until(pilot, lambda: () in drawn)
