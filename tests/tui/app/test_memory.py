"""Memory of the app: it does not grow with the number of screens that were looked at."""

import gc
from collections import Counter

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.support.waiting import until
from tests.tui.conftest import CopyOf
from tui.app.app import TuiApp

pytestmark = pytest.mark.heavy

WARM_UP, SWITCHES = 30, 102
"""Multiples of the six screens: what is kept depends on which one is shown."""

MAX_OBJECTS = 40 * SWITCHES
"""More objects that are kept afterwards; a single screen has thousands."""


def removed_widgets() -> Counter[str]:
    """Widgets that are on no screen any more, and yet are kept, by name of their class."""
    gc.collect()
    widgets = [found for found in gc.get_objects() if issubclass(type(found), Widget)]
    return Counter(type(widget).__name__ for widget in widgets if not widget.is_attached)


async def test_no_widget_is_kept_from_screens_that_were_left(copy_of: CopyOf) -> None:
    run = copy_of("digits")
    app = TuiApp(runs_dir=run.path.parent)

    async def switch(pilot: Pilot[None], switches: int) -> None:
        for turn in range(switches):
            mode = turn % 6 + 1
            await pilot.press(str(mode))
            await pilot.pause()

    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.current_mode == "runs")
        await switch(pilot, WARM_UP)
        before, objects = removed_widgets(), len(gc.get_objects())
        await switch(pilot, SWITCHES)
        grown, more = removed_widgets() - before, len(gc.get_objects()) - objects
        assert grown.total() < SWITCHES // 6, f"at most some of the last switch: {grown}"
        assert more < MAX_OBJECTS, f"{more:,} objects more after {SWITCHES} switches"
