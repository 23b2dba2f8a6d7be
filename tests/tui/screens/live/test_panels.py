"""The panels under the charts of Live, of which a small window shows one."""

from pathlib import Path

from textual.app import ComposeResult
from textual.reactive import reactive
from textual.widgets import Static

from core.events import EpochFinished, RunStarted
from core.runs.history.history import History
from tui.screens.live.screen import LiveScreen
from tui.terminal.textual_private import LenientApp
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.panel import Panel


class Panels(LiveScreen):
    """Live without what is above them."""

    def compose(self) -> ComposeResult:
        for name in self.PANELS:
            with Panel(id=f"{name}-panel"):
                yield ConfusionGrid(id="confusion") if name == "confusion" else Static("", id=name)


class Host(LenientApp):
    """An app with them alone, which follows no run."""

    device_label = reactive("")
    feed = None
    run_console = None
    runs_dir = Path("runs")

    def get_default_screen(self) -> Panels:
        return Panels()


def history(confusion: list[list[int]]) -> History:
    """Return that of a run with one epoch."""
    made = History()
    made.apply(
        RunStarted(
            config={},
            task="binary",
            samples={},
            classes=["a", "b"],
            sample_shape=[4],
            parameters=1,
            device="cpu",
            threads=1,
            epochs=1,
            steps_per_epoch=1,
        )
    )
    losses = {"loss": 0.5}
    made.apply(
        EpochFinished(
            epoch=1,
            step=1,
            train=losses,
            validation=losses,
            lr=0.1,
            seconds=1.0,
            best_epoch=1,
            best_metrics=losses,
            confusion=confusion,
        )
    )
    return made


def chosen(screen: LiveScreen) -> list[str | None]:
    return [panel.id for panel in screen.query("Panel.-chosen")]


async def test_no_empty_panel_is_shown_for_a_run_without_a_confusion_matrix() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, Panels)
        screen._draw_confusion(history([[1, 0], [0, 1]]))
        screen.action_panel()
        assert chosen(screen) == ["confusion-panel"]
        screen._draw_confusion(history([]))  # another run is opened
        seen = [chosen(screen)]
        for _ in range(2):
            screen.action_panel()
            seen.append(chosen(screen))
        assert seen == [["epochs-panel"], ["messages-panel"], ["epochs-panel"]]
