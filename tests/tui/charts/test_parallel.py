"""Ranges on the axes of parallel coordinates: as values, by mouse and by keys."""

from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from core.config import schema as configuration
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.records import TrialRecord
from tests.support.waiting import until
from tui.charts.parallel_axes import WHOLE, Band, band_of, range_of, step_of
from tui.charts.parallel_plot import ParallelPlot
from tui.charts.study_views import axes_of, parallel_chart
from tui.runtime.study_follower import Standing

RANGES = {
    "optimizer.lr": {"low": 0.01, "high": 1.0, "log": True},
    "training.batch_size": {"low": 16, "high": 64},
    "model.hidden": [[16], [32], [64]],
}


def standing() -> Standing:
    plan = make_plan(configuration.from_dict({"data": "iris", "model": "mlp"}), RANGES)
    params = {"optimizer.lr": 0.1, "training.batch_size": 32, "model.hidden": [32]}
    records = tuple(TrialRecord(at, "completed", params, value) for at, value in enumerate((0.5, 0.3, 0.1)))
    return Standing(StudyFolder(Path("study_x")), plan, records, best=2)


def test_a_part_of_an_axis_is_a_range_of_its_values() -> None:
    study = standing()
    rates = range_of(study, "optimizer.lr", (0.0, 0.5))
    assert rates == {"low": pytest.approx(0.01), "high": pytest.approx(0.1)}
    assert range_of(study, "training.batch_size", (0.5, 1.0)) == {"low": 40, "high": 64}
    assert range_of(study, "loss", (0.0, 0.5)) == {"low": pytest.approx(0.1), "high": pytest.approx(0.3)}
    assert range_of(study, "model.hidden", (0.4, 1.0)) == {"choices": [[32], [64]]}
    assert range_of(study, "model.hidden", (0.1, 0.2)) == {
        "choices": [[16]]
    }  # the nearest, where none is inside


@pytest.mark.parametrize("name", ["optimizer.lr", "training.batch_size", "loss"])
def test_a_range_of_values_is_a_part_of_an_axis(name: str) -> None:
    study = standing()
    assert band_of(study, name, range_of(study, name, (0.25, 0.75))) == pytest.approx((0.25, 0.75))
    assert band_of(study, name, {"low": -1.0, "high": 999.0}) == WHOLE


def test_choices_are_parts_from_one_to_the_next() -> None:
    study = standing()
    assert band_of(study, "model.hidden", {"choices": [[32], [64]]}) == (0.5, 1.0)
    assert (step_of(study, "model.hidden"), step_of(study, "optimizer.lr")) == (0.5, 0.05)


class Shown(App[None]):
    """The chart alone; it keeps what is selected, as its panel does."""

    def __init__(self) -> None:
        super().__init__()
        self.bands: dict[str, Band] = {}

    def compose(self) -> ComposeResult:
        yield ParallelPlot()

    def draw(self) -> None:
        study = standing()
        axes = [name for name, _, _ in axes_of(study)]
        steps = [step_of(study, name) for name in axes]
        self.query_one(ParallelPlot).show_axes(
            parallel_chart(study, None, self.bands), axes, steps, self.bands
        )

    def on_parallel_plot_selected(self, event: ParallelPlot.Selected) -> None:
        self.bands[event.name] = event.band
        self.draw()


@pytest.mark.slow
async def test_an_axis_is_selected_by_mouse_and_by_keys() -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        plot = app.query_one(ParallelPlot)
        app.draw()
        await until(pilot, lambda: plot._layout is not None)
        layout = plot._layout
        assert layout is not None
        last = layout.rows - 1
        await pilot.mouse_down(plot, offset=(59, 0))
        await pilot.hover(plot, offset=(59, last // 2))
        await until(pilot, lambda: "loss" in app.bands)
        await pilot.mouse_up(plot, offset=(59, last // 2))
        low, high = app.bands["loss"]
        assert (low, high) == pytest.approx((1 - (last // 2) / last, 1.0))
        await pilot.click(plot, offset=(59, 3))
        await until(pilot, lambda: app.bands["loss"] == WHOLE)

        await pilot.press("right", "down", "down", "shift+up")
        await until(pilot, lambda: app.bands.get("optimizer.lr") == pytest.approx((0.05, 0.9)))
        await pilot.press("right", "right", "down", "down", "down")
        await until(pilot, lambda: app.bands.get("model.hidden") == (0.0, 0.0))
        await pilot.press("delete")
        await until(pilot, lambda: app.bands["model.hidden"] == WHOLE)
