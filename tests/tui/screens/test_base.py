"""Screens of the app when they come to the front."""

from pathlib import Path

import pytest
from textual.screen import Screen

from tests.support.waiting import until
from tui.app.app import TuiApp


@pytest.mark.slow
async def test_a_mode_that_is_returned_to_keeps_its_styles_unless_theme_or_focus_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = TuiApp(runs_dir=tmp_path / "runs")
    styled: list[str] = []
    apply = Screen.update_node_styles

    def noted(screen: Screen[None], animate: bool = True) -> None:
        styled.append(app.current_mode)
        apply(screen, animate=animate)

    async with app.run_test() as pilot:

        async def returned() -> str:
            """Return the colour of the screen once Live was left for it."""
            await pilot.press("ctrl+pageup")
            await until(pilot, lambda: app.current_mode == "configure")
            await pilot.pause()
            return app.screen.background_colors[1].hex

        await until(pilot, lambda: app.current_mode == "configure" and app.screen.is_current)
        for _ in range(2):  # Textual itself applies all rules once more
            await pilot.press("ctrl+pagedown")
            dark = await returned()
        await pilot.press("ctrl+pagedown")
        monkeypatch.setattr(Screen, "update_node_styles", noted)
        assert await returned() == dark
        assert styled == []

        await pilot.press("ctrl+pagedown")
        app.theme = "torchtui-light"
        assert await returned() != dark

        await pilot.press("ctrl+pagedown")
        app.app_focus = False
        app.switch_mode("configure")  # a key would give the focus back
        await until(pilot, lambda: "configure" in styled)
