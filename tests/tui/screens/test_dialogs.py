"""Dialogs show all their choices, however small the terminal is."""

import pytest
from textual.app import App
from textual.widgets import Button

from tui.app.modes import stylesheet
from tui.screens.dialogs import Ask

ANSWERS = {"stop": "Stop, save and quit", "detach": "Detach and quit", "stay": "Stay"}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 16)])
async def test_every_answer_is_in_view(size: tuple[int, int]) -> None:
    class Asking(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(
                Ask("This app is training a run. Stop and save it, or let it continue?", ANSWERS)
            )

    async with Asking().run_test(size=size) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        shown = [button.region for button in screen.query(Button)]
        assert len(shown) == 3
        assert all(region.height and screen.region.contains_region(region) for region in shown)
        assert screen.query_one(".dialog").region.contains_region(shown[-1])
