"""The layers of a network in Live."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.events import LayersSampled
from tests.support.narrow import some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.layers import layer_lines
from tui.screens.live.screen import LiveScreen
from tui.widgets.drawing import Drawing

SAMPLE = LayersSampled(
    epoch=1,
    step=1200,
    names=["1", "bad\x1bname", "5"],
    kinds=["Linear", "Conv2d", "Linear"],
    weights=[5.0, 4.0, 3.0],
    gradients=[1e-6, 0.01, 1.0],
    updates=[1e-3, 0.5, 2e-3],
    dead=[0.25, 0.75, None],
)


def test_each_layer_has_a_line_with_its_numbers() -> None:
    head, first, second, last = layer_lines(SAMPLE, 100).plain.split("\n")
    assert head.split() == ["layer", "weights", "gradient", "update", "dead", "step", "1,200"]
    assert first.split()[:7] == ["1", "Linear", "5.0000", "1.0e-6", "0.0010", "25.0", "%"]
    assert "\x1b" not in second
    assert "bad␛name" in second
    assert "75.0 %" in second
    assert "%" not in last
    bars = [line.count("█") for line in (first, second, last)]
    assert bars == [6, 18, 24], "a quarter, three quarters, and the largest"


@pytest.mark.parametrize("width", [30, 46, 80, 200])
def test_lines_fit(width: int) -> None:
    assert all(len(line.rstrip()) <= max(width, 49) for line in layer_lines(SAMPLE, width).plain.split("\n"))


def test_what_is_not_finite_stands_out() -> None:
    sample = LayersSampled(**{**vars(SAMPLE), "gradients": [None, 0.0, float("inf")]})
    lines = layer_lines(sample, 100).plain.split("\n")
    assert [line.count("█") for line in lines] == [0, 24, 0, 24]


Make = Callable[..., TuiApp]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))

    def make(**values: Any) -> TuiApp:
        return TuiApp(runs_dir=tmp_path / "runs", values=values, start=True)

    return make


@pytest.mark.slow
async def test_a_running_run_is_asked_for_its_layers(make: Make) -> None:
    app = make(training={"epochs": 1_000_000, "threads": 1})
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.feed and app.feed.history.step > 0)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        assert some(app.feed).history.layers is None, "nobody asked"
        assert not screen.query_one("#layers-panel").display
        await pilot.press("y")
        await until(pilot, lambda: screen.query_one("#layers", Drawing).display)
        shown = screen.query_one("#layers", Drawing).render().plain
        assert "1 Linear" in shown
        assert "3 Linear" in shown
        assert not screen.query_one("#charts").display
        await pilot.press("y")
        assert screen.query_one("#charts").display
        assert not screen.query_one("#layers-panel").display
        app.stop_training()


@pytest.mark.slow
async def test_a_run_that_has_ended_says_that_nothing_was_sampled(make: Make) -> None:
    app = make(data="iris", training={"epochs": 1, "threads": 1})
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        await pilot.press("y")
        await pilot.pause()
        assert "were not sampled" in str(app.screen.query_one("#no-layers").render())


@pytest.mark.slow
async def test_layers_that_the_log_holds_are_shown(make: Make) -> None:
    app = make(data="iris", model="mlp", training={"epochs": 2, "threads": 1, "watch_layers": True})
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.feed and app.feed.status == "completed")
        await pilot.press("y")
        await pilot.pause()
        assert "1 Linear" in app.screen.query_one("#layers", Drawing).render().plain
