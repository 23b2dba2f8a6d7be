"""The learning rate of a run that has not started, as Configure draws it."""

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from core.config.schema import FAMILIES, TrainConfig, from_dict
from core.options import choices
from tui.charts.plot import Plot
from tui.charts.rate import rate_chart, rate_subtitle
from tui.forms.preview import Preview
from tui.screens.configure.preview_panels import PreviewView

COSINE = {"schedule": {"name": "cosine", "warmup": 2}, "optimizer": {"lr": 0.5}, "training": {"epochs": 10}}


@pytest.mark.parametrize("schedule", [name for name in choices(FAMILIES["schedule"]) if name != "python"])
@pytest.mark.parametrize("steps", [0, 1, 7, 10_000])
def test_the_whole_run_is_drawn(schedule: str, steps: int) -> None:
    chart = rate_chart(from_dict({"schedule": {"name": schedule, "warmup": 3}}), steps)
    (series,) = chart.series
    assert [*chart.x_range] == [0, 20]
    assert series.x[0] == 0
    assert 18.9 < series.x[-1] < 20
    assert len(series.x) <= 401
    assert series.y.max() == pytest.approx(0.01, rel=0.02)


def test_a_schedule_of_the_users_own_is_not_run_for_a_drawing() -> None:
    assert not rate_chart(from_dict({"schedule": "mine.py:Sched"}), 7).series


def test_what_is_drawn_is_what_training_sets() -> None:
    config = from_dict(COSINE)
    (series,) = rate_chart(config, 4).series
    factors = [config.schedule.factor(step, 40, 4) for step in range(40)]
    assert series.y.tolist() == pytest.approx([0.5 * factor for factor in factors])
    assert series.x.tolist() == [step / 4 for step in range(40)]


def test_the_ends_and_the_highest_are_told() -> None:
    config = from_dict(COSINE)
    assert rate_subtitle(config, rate_chart(config, 10)) == "0.0250 … 0.5000 … 1.9e-4"
    plateau = from_dict({"schedule": {"name": "plateau"}})
    assert rate_subtitle(plateau, rate_chart(plateau, 10)).endswith("lower after a plateau")


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield PreviewView()
        yield Static()


async def test_the_panel_is_there_for_a_rate_that_changes() -> None:
    async with Shown().run_test(size=(120, 40)) as pilot:
        view, panel = pilot.app.query_one(PreviewView), pilot.app.query_one("#rate-panel")
        view.show(Preview(from_dict(COSINE)))
        await pilot.pause()
        assert panel.display
        assert pilot.app.query_one("#rate", Plot).chart.series
        view.show(Preview(TrainConfig()))
        await pilot.pause()
        assert not panel.display
