"""Pages of charts: which charts a run has, how many fit, and that only those are drawn."""

from pathlib import Path

import pytest

from core.events import EpochFinished, Event, LayersSampled, RunStarted, StepLogged
from core.interop.writer import RunWriter
from core.runs.history.history import History
from tests.support.narrow import instance, some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.live import View, chart_names, chart_of, chart_title, length_of, subtitle
from tui.screens.live.chart_pages import ChartPages, arrangement, page_of
from tui.screens.live.screen import LiveScreen
from tui.widgets.chart_panel import ChartPanel

STARTED = RunStarted(
    time=100.0,
    config={},
    task="multiclass",
    samples={"train": 5},
    classes=[],
    sample_shape=[],
    parameters=1,
    device="cpu",
    threads=1,
    epochs=9,
    steps_per_epoch=10,
)


def history(*, lr: float = 0.1, epochs: int = 3) -> History:
    """A run of 10 steps and 2 seconds an epoch."""
    found = History()
    events: list[Event] = [
        STARTED,
    ]
    for epoch in range(1, epochs + 1):
        events += [
            StepLogged(epoch=epoch, step=10 * epoch - 5, train={"loss": 1.0}, lr=lr, samples_per_second=50.0),
            LayersSampled(
                epoch=epoch,
                step=10 * epoch - 5,
                names=["a", "b"],
                kinds=["Linear"] * 2,
                weights=[1.0, 1.0],
                gradients=[3.0, 4.0],
                updates=[0.1, 0.1],
                dead=[None, None],
            ),
            EpochFinished(
                epoch=epoch,
                step=10 * epoch,
                train={"loss": 1.0 / epoch, "perplexity": 2.0},
                validation={"loss": 1.1 / epoch, "accuracy": 0.5, "f1_macro": 0.4},
                lr=lr,
                seconds=2.0,
                best_epoch=epoch,
                best_metrics={"loss": 1.1 / epoch},
            ),
        ]
    for event in events:
        found.apply(event)
    return found


PACE = ["lr", "seconds per epoch", "samples per second", "gradient norm"]


def test_every_metric_and_the_pace_have_a_chart() -> None:
    names = chart_names(history(), "accuracy")
    assert names[:2] == ["loss", "accuracy"]
    assert set(names[2:4]) == {"f1_macro", "perplexity"}
    assert names[4:] == PACE
    assert chart_names(history(), "f1_macro")[:3] == ["loss", "f1_macro", "accuracy"]
    assert "lr" not in chart_names(history(lr=0.0), "accuracy"), "unknown"
    assert chart_title("lr") == "learning rate"


def test_the_pace_is_drawn() -> None:
    run = history()
    y = {name: chart_of(run, name, View()).series[0].y.tolist() for name in PACE}
    assert y == {
        "lr": [0.1] * 3,
        "seconds per epoch": [2.0] * 3,
        "samples per second": [50.0] * 3,
        "gradient norm": [5.0] * 3,
    }
    assert subtitle(run, "gradient norm") == "now 5.0000"


@pytest.mark.parametrize(
    ("axis", "x", "label", "two_epochs"),
    [
        ("epoch", [1, 2, 3], "epoch", 2),
        ("step", [10, 20, 30], "step", 20),
        ("time", [2, 4, 6], "seconds", 4),
    ],
)
def test_the_x_axis_counts_epochs_steps_or_time(
    axis: str, x: list[float], label: str, two_epochs: float
) -> None:
    view, run = View(axis=axis), history()  # type: ignore[arg-type]  # one of its values
    chart = chart_of(run, "loss", view)
    assert chart.series[-1].x.tolist() == x
    assert chart.x_label == label
    assert [mark.x for mark in chart.marks] == [x[-1]], "the best epoch moves with it"
    assert length_of(run, 2, view.axis) == two_epochs


def test_before_the_first_epoch_is_done_there_is_no_time() -> None:
    run = History()
    for event in [
        STARTED,
        StepLogged(epoch=1, step=5, train={"loss": 1.0}, lr=0.1, samples_per_second=1.0),
    ]:
        run.apply(event)
    chart = chart_of(run, "loss", View(axis="time"))
    assert not chart.series
    assert "time is known once" in chart.empty


def test_pages_turn_over() -> None:
    names = list("abcde")
    assert page_of(names, 0, 2) == (["a", "b"], 1, 3)
    assert page_of(names, 2, 2) == (["e"], 3, 3)
    assert page_of(names, 3, 2) == (["a", "b"], 1, 3)
    assert page_of(names, -1, 2) == (["e"], 3, 3)
    assert page_of([], 4, 2) == ([], 1, 1)
    assert [arrangement(80, 24), arrangement(200, 60), arrangement(300, 80)] == [(2, 1), (3, 2), (4, 2)]


@pytest.mark.slow
async def test_only_the_charts_of_the_page_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    with RunWriter("pages", runs_dir=tmp_path / "runs") as run:
        for epoch in range(1, 9):
            run.epoch({"loss": 1 / epoch, "bleu": float(epoch), "rouge": 2.0 * epoch, "wer": 0.1})
    app = TuiApp(runs_dir=tmp_path / "runs", follow=run.run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LiveScreen) and some(app.feed).history.epoch == 8)
        screen = instance(LiveScreen, app.screen)
        screen.draw()
        pages = screen.query_one(ChartPages)

        def titles() -> list[str]:
            return [str(panel.border_title) for panel in screen.query(ChartPanel) if panel.display]

        assert [title.split()[0] for title in titles()] == ["loss", "bleu"]
        assert "page 1 of" in titles()[0]
        await pilot.press("right_square_bracket")
        assert [title.split()[0] for title in titles()] == ["rouge", "wer"]
        assert "page 2 of" in titles()[0]
        await pilot.press("left_square_bracket", "asterisk")
        assert screen.chosen_epoch == some(app.feed).history.best_epoch
        first, second = pages.plots
        assert first.window.cross == second.window.cross == 1.0 * some(app.feed).history.best_epoch
        assert first.window.x == second.window.x
        await pilot.press("right_square_bracket")
        assert pages.plots[0].window.x == first.window.x, "all pages show the same part"
        await pilot.press("0")
        assert first.window.x is None
        assert pages.plots[0].window.x is None
        app.theme = "torchtui-light"
        await pilot.pause()
        assert app.get_line_filters()[-1].__class__.__name__ == "Legible"
