"""Choosing the target of a table in the form."""

from pathlib import Path

import pytest

from core.data.tables.options import Csv
from core.runs.folder import all_runs
from tests.support.narrow import instance, some
from tests.support.waiting import until
from tests.tui.screens.configure.conftest import LARGE, Make, settled
from tui.app.app import TuiApp
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


@pytest.mark.slow
async def test_train_in_the_app_asks_as_the_form_does_and_starts_nothing(
    make: Make, cars: Path, tmp_path: Path
) -> None:
    make()  # the settings and runs of a test
    app = TuiApp(runs_dir=tmp_path / "runs", data_root=tmp_path, values={"data": str(cars)}, start=True)
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, TargetDialog))
        assert not (tmp_path / "runs").exists() or not all_runs(tmp_path / "runs")
        await pilot.press("enter")
        screen = await settled(pilot)
        assert instance(Csv, some(screen.state.config).data).target == "distance"
        assert screen.state.ready
        assert not (tmp_path / "runs").exists() or not all_runs(tmp_path / "runs")
