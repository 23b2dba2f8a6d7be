"""The tab of slices, when another evaluation is opened."""

from types import SimpleNamespace
from typing import cast

import numpy as np
from textual.app import App, ComposeResult

from core.session.failures import Failures
from tui.screens.evaluate.failures.slices import SlicesTab
from tui.screens.evaluate.tab import Subject
from tui.widgets.panel import Panel


class Host(App[None]):
    """An app with the tab alone."""

    def compose(self) -> ComposeResult:
        yield SlicesTab()


async def test_the_number_of_samples_of_an_earlier_evaluation_does_not_stay() -> None:
    app = Host()
    async with app.run_test() as pilot:
        tab, panel = app.query_one(SlicesTab), app.query_one("#suspects-panel", Panel)
        tab.subject = cast(Subject, SimpleNamespace())
        panel.border_subtitle = "74 samples"
        tab._show(Failures(None, (), (), np.empty(0, dtype=np.int64)))
        await pilot.pause()
        assert (panel.border_title, panel.border_subtitle) == ("0 targets that look wrong", "")
