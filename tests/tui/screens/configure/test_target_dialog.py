"""Choosing the target of a table in the form."""

from pathlib import Path

import pytest

from core.data.tables.options import Csv
from tests.support.narrow import instance, some
from tests.tui.screens.configure.conftest import LARGE, Make, settled
from tui.screens.configure.target_dialog import TargetDialog


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    """A file in which no column stands out."""
    path = tmp_path / "cars.csv"
    rows = [f"{at % 7}.5,{at % 11}.25,{at}" for at in range(60)]
    path.write_text("\n".join(["speed,distance,car_id", *rows]))
    return path


@pytest.mark.slow
async def test_the_form_asks_for_a_target_once_and_starts_nothing(make: Make, cars: Path) -> None:
    app = make({"data": str(cars)})
    async with app.run_test(size=LARGE) as pilot:
        screen = await settled(pilot)
        await pilot.pause()
        instance(TargetDialog, app.screen)
        assert not screen.state.ready
        assert "stands out" in screen.state.problems["data.target"]
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is screen
        screen.set_focus(None)
        await pilot.press("d")
        await pilot.pause()
        instance(TargetDialog, app.screen)
        await pilot.press("enter")
        await settled(pilot)
        assert instance(Csv, some(screen.state.config).data).target == "distance"
        assert screen.state.ready
