"""The machine in Live, while no run is open."""

from pathlib import Path

import pytest

from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.screens.live.system_panel import SystemPanel


@pytest.mark.slow
async def test_the_machine_is_shown_without_a_run(tmp_path: Path) -> None:
    app = TuiApp(runs_dir=tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.current_mode == "configure")
        app.action_go("live")
        await until(pilot, lambda: bool(app.screen.query(SystemPanel)))
        panel = app.screen.query_one(SystemPanel)
        await until(pilot, lambda: panel.state is not None)
        assert panel.is_on_screen
        assert panel.state is not None
        assert f"{panel.state.cores} cores" in str(panel.border_title)
        scroll = panel.query_one("#system-scroll")
        assert scroll.styles.scrollbar_gutter == "stable", (
            "lines are cut to a width that a bar does not change"
        )
