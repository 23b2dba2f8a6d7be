"""Live: one run in progress, whichever process trains it."""

from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.errors import TorchtuiError
from core.events import Event, Notice
from core.runs.comparison.curves import AXES
from core.runs.history.history import Epoch, History
from core.status import has_failed, is_active
from tui.charts.explore.window import WHOLE, follow
from tui.charts.live import SMOOTHING, ZOOMS, View, length_of
from tui.forms.remedies import error_in_app
from tui.runtime.feed import SHORTEST, RunFeed
from tui.runtime.foreign_host import ForeignHost
from tui.runtime.growth import watch_size
from tui.runtime.hosts.log_host import LogHost
from tui.screens.base import WIDE
from tui.screens.chart_dialog import SaveChart, copy_readout
from tui.screens.console_panel import ConsolePanel
from tui.screens.live.chart_pages import ChartPages
from tui.screens.live.epoch_table import EpochTable
from tui.screens.live.layers_panel import LayersPanel
from tui.screens.live.live_keys import LIVE_KEYS, is_offered
from tui.screens.live.live_texts import facts, messages
from tui.screens.live.run_requests import RunRequests
from tui.screens.live.status_line import StatusLine
from tui.screens.live.system_panel import SystemPanel
from tui.screens.media.panel import MediaPanel
from tui.terminal.text import of
from tui.terminal.themes import STATES
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.panel import Panel

__all__ = ["LiveScreen"]


class LiveScreen(RunRequests):
    """Charts, epochs, confusion and messages of the followed run."""

    MODE = "live"
    AUTO_FOCUS = "#epochs"
    HELP = (
        "Follows one run, trained by this app or by any other process. The charts show training and validation loss, "
        "all other metrics, the learning rate and the time of an epoch, in pages; ★ marks the best epoch, by the "
        "monitored metric, and ✗ the point where the loss became NaN. Where the pointer is, or by ← →, the values of "
        "all curves are read; the wheel zooms, dragging pans, a double click shows everything again. The confusion "
        "matrix is for validation after the selected epoch: rows are true classes, columns predicted ones."
    )
    BINDINGS: ClassVar[list[BindingType]] = LIVE_KEYS
    PANELS = ("epochs", "confusion", "messages")
    VIEWS = ("-layers", "-media", "-system")

    class Grown(Message):
        """The log of the followed run has grown."""

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self.chosen_epoch = 0
        self.score = ""
        self.panel = self.PANELS[0]
        self.zoom = 0
        self.machine: bool | None = None  # whether its load is shown; None shows it where there is room
        self._going: RunFeed | None = None
        self._drawn: RunFeed | None = None
        self._drawn_version = -1
        self._drawn_state = ""
        self._reported: RunFeed | None = None
        self._asked_for_layers: RunFeed | None = None
        self._told: tuple[Event | None, str] = None, ""
        self._confusion_of: Epoch | None = None
        self._has_media = False

    def compose_body(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield Static("", id="facts", markup=False)
        yield ChartPages(id="charts")
        yield LayersPanel(id="layers-panel")
        yield MediaPanel(id="media-panel")
        with Vertical(id="nothing"):
            yield Static("No run is open. Press 2 to start a run, or 1 and then Enter to open one.")
        yield SystemPanel([self.tui.runs_dir], id="machine-panel")
        with Horizontal(id="below"):
            with Panel(id="epochs-panel"):
                yield EpochTable(id="epochs")
            with Panel(id="confusion-panel"):
                yield ConfusionGrid(compact=True, id="confusion")
            with Panel(id="messages-panel"), VerticalScroll(id="messages-scroll"):
                yield Static("", id="messages", markup=False)
        yield ConsolePanel(id="console-panel")

    def on_mount(self) -> None:
        self.query_one("#epochs-panel", Panel).border_title = "epochs"
        self.query_one("#messages-panel", Panel).border_title = "messages"
        self._choose_panel()
        self.set_timer(SHORTEST, self._tick)

    @property
    def charts(self) -> ChartPages:
        """The charts of the run."""
        return self.query_one(ChartPages)

    def refresh_content(self) -> None:
        self.draw()

    def queue_changed(self) -> None:
        self.draw()

    def _tick(self) -> None:
        """Poll for events, and again when the next frame may be drawn: each poll delays training in this process."""
        if self.feed is not None:
            self._look(self.feed)
        self.set_timer(self.feed.budget.rest() if self.feed else SHORTEST, self._tick)

    @on(Grown)
    def _take_in(self) -> None:
        """Look at once when another process has logged something."""
        if self.feed is not None and self.is_current:
            self._look(self.feed)

    def _watch_log(self, feed: RunFeed) -> None:
        """Wait for what another process logs, while its run is followed."""
        if isinstance(feed.host, LogHost):
            watch_size(
                feed.host.run.log_file,
                lambda: self.post_message(self.Grown()),
                ready=feed.budget.text_due,
                wanted=lambda: feed is self._drawn and self.is_running,
            )

    def _look(self, feed: RunFeed) -> None:
        """Read new events; draw the changes if their cost allows it now."""
        feed.budget.settle()
        feed.poll()
        if feed is not self._drawn:
            self._reset(feed)
        self._report_failure(feed)
        self._announce(feed)
        if not self.is_current:
            return
        changed = feed.history.version != self._drawn_version or feed.status != self._drawn_state
        if changed and feed.budget.charts_due():
            self.draw()
        elif (changed or feed.status == "preparing") and feed.budget.text_due():
            with feed.budget.text_frame(shared=feed.in_app):
                self._draw_texts(feed)

    def draw(self) -> None:
        """Draw everything now: a frame, or the response to a key."""
        feed = self.feed
        self.set_class(feed is None, "-nothing")
        if feed is None or not self.is_mounted:
            return
        if feed is not self._drawn:
            self._reset(feed)
        with feed.budget.chart_frame(shared=feed.in_app):
            if feed.status != self._drawn_state or bool(feed.history.media.items) != self._has_media:
                self._has_media = bool(feed.history.media.items)
                self.refresh_bindings()
            self._drawn_version, self._drawn_state = feed.history.version, feed.status
            self._draw_texts(feed)
            self._draw_facts(feed)
            self._draw_console()
            self.query_one("#epochs", EpochTable).show(feed.history, self.chosen_epoch)
            if self.has_class("-media"):
                host = feed.host
                owner = host.log if isinstance(host, ForeignHost) else host.run
                self.query_one(MediaPanel).show(owner, feed.history.media)
            elif self.has_class("-layers"):
                self._draw_layers(feed)
            elif not self.has_class("-system"):
                self._draw_charts(feed.history)
            self._draw_confusion(feed.history)

    def _reset(self, feed: RunFeed) -> None:
        self._drawn, self.chosen_epoch, self._told = feed, 0, (None, "")
        self.score = ""
        if not feed.host.obeys:  # without layers no key leads back to the charts
            self.remove_class("-layers")
        self.remove_class("-media", "-in-job")
        self.refresh_bindings()
        self.query_one("#messages", Static).update("")
        self._watch_log(feed)

    def _draw_texts(self, feed: RunFeed) -> None:
        """Draw what changes constantly, and new results; nothing here changes the layout."""
        history, name = feed.history, feed.host.name
        note = "" if feed.host.error else feed.host.note
        self.query_one("#status", StatusLine).show(name, feed.status, history, feed.seconds_left(), note)
        newest = history.messages[-1] if history.messages else None
        if (newest, feed.status) != self._told:
            self._told = newest, feed.status
            self.query_one("#messages", Static).update(messages(history, feed.status))

    def _draw_console(self) -> None:
        if self.feed is not None and self.has_class("-console"):
            self.query_one(ConsolePanel).follow(self.feed.host.run, self._open_text)

    def _open_text(self) -> str:
        """The last line that the run of this app printed, which has not ended."""
        console = self.tui.run_console
        return console.open_text if console is not None and self.feed and self.feed.in_app else ""

    def _draw_facts(self, feed: RunFeed) -> None:
        waiting = len(self.tui.waiting)
        queued = f"{waiting} queued (Q)   " if waiting else ""
        place = f"{feed.host.place}   " if feed.host.place not in ("", feed.host.note) else ""
        self.set_class(bool(place) and feed.status != "completed", "-in-job")  # also how its job ended
        text = Content(queued + place + facts(feed.history, feed.in_app))
        shown = self.query_one("#facts", Static)
        if text != shown.content:
            shown.update(text, layout=False)

    def _draw_charts(self, history: History) -> None:
        roomy = self.size.width >= WIDE and bool(history.system)
        machine = roomy if self.machine is None else self.machine
        self.set_class(machine, "-machine")
        self.charts.show(history, self._score_of(history), self.view, machine=machine)

    def _score_of(self, history: History) -> str:
        """The metric of the second chart: the chosen one, or the first that the run has."""
        scores = history.scores
        return self.score if self.score in scores else scores[0]

    def _draw_layers(self, feed: RunFeed) -> None:
        """Return the latest sample of the layers; request samples once the run is active."""
        if feed is not self._asked_for_layers and feed.status == "running":
            self._asked_for_layers = feed
            self.request("watch_layers")
        self.query_one(LayersPanel).show(feed.history.layers, is_active(feed.status))

    def _draw_confusion(self, history: History) -> None:
        epoch = self._epoch_shown(history)
        panel = self.query_one("#confusion-panel", Panel)
        shown = epoch is not None and epoch.confusion is not None and history.started is not None
        if self.has_class("-no-confusion") == shown:
            self.set_class(not shown, "-no-confusion")
            self._choose_panel()
        if epoch is None or epoch.confusion is None or history.started is None:
            return
        panel.border_title = f"confusion, epoch {epoch.event.epoch}"
        panel.border_subtitle = "true ↓ predicted →"
        if epoch is not self._confusion_of:
            self._confusion_of = epoch
            names = history.class_names(len(epoch.confusion))
            self.query_one("#confusion", ConfusionGrid).show(epoch.confusion, names)

    def _epoch_shown(self, history: History) -> Epoch | None:
        """The chosen epoch, or the latest."""
        if not history.epochs:
            return None
        if not self.chosen_epoch:
            return history.epochs[-1]
        chosen = (epoch for epoch in history.epochs if epoch.event.epoch == self.chosen_epoch)
        return next(chosen, history.epochs[-1])

    def _report_failure(self, feed: RunFeed) -> None:
        """Once per run, bring the messages to the front, and show why a run of this app failed in a dialog."""
        if feed is self._reported or not has_failed(feed.status):
            return
        self._reported = feed
        self.panel = "messages"
        self._choose_panel()
        if feed.status == "diverged":
            return
        finished = feed.history.finished
        if feed.host.error is not None:
            feed.history.apply(Notice(level="error", message=error_in_app(feed.host.error)))
            self.tui.show_error(feed.host.error)
        elif finished is not None and feed.trained_here:
            self.tui.show_error(TorchtuiError(finished.error), finished.traceback)

    def _announce(self, feed: RunFeed) -> None:
        """Show the status in the title of the window; ring the bell if the run ends while it is watched."""
        status = feed.status
        done = of(feed.history.epoch, feed.history.started.epochs if feed.history.started else 0)
        self.tui.set_terminal_title(f"{STATES[status][0]} {status} {done} {feed.host.name}")
        going = is_active(status)
        if not going and self._going is feed:
            self.app.bell()
        self._going = feed if going else None

    def action_score(self) -> None:
        """Show the next metric of validation in the second chart."""
        if self.feed is not None:
            scores = self.feed.history.scores
            place = scores.index(self._score_of(self.feed.history))
            self.score = scores[(place + 1) % len(scores)]
            self.draw()

    def action_machine(self) -> None:
        """Show or hide the load of the machine."""
        self.machine = not self.has_class("-machine")
        self.draw()

    def action_system(self) -> None:
        """Show the machine in place of the charts, or the charts again."""
        self._replace_charts("-system")
        self.draw()

    def _replace_charts(self, by: str) -> None:
        """Show one of the other views in place of the charts, or the charts again."""
        self.toggle_class(by).remove_class(*(other for other in self.VIEWS if other != by))

    def action_layers(self) -> None:
        """Show the layers in place of the charts, or the charts again."""
        self._replace_charts("-layers")
        self.draw()

    def action_media(self) -> None:
        """Show images, texts and histograms in place of the charts, or the charts again."""
        self._replace_charts("-media")
        self.set_focus(self.query_one(MediaPanel).view if self.has_class("-media") else None)
        self.call_after_refresh(self.draw)

    def action_console(self) -> None:
        """Show what user code printed in place of the panels under the charts, or the panels again."""
        self.toggle_class("-console")
        self._draw_console()
        self.set_focus(self.query_one(ConsolePanel).view if self.has_class("-console") else None)

    def action_log_scale(self) -> None:
        """Switch the loss axis between logarithmic and linear."""
        self._change_view(log_y=not self.view.log_y)

    def action_smooth(self, by: int) -> None:
        """Smooth more or less."""
        self._change_view(smoothing=min(max(self.view.smoothing + by, 0), len(SMOOTHING) - 1))

    def action_zoom(self) -> None:
        """Show all epochs, or the last ones."""
        if self.feed is not None:
            self.zoom = (self.zoom + 1) % len(ZOOMS)
            length = length_of(self.feed.history, ZOOMS[self.zoom], self.view.axis)
            self.charts.explore(follow(self.charts.window, length))

    def action_axis(self) -> None:
        """Count epochs, steps or time on the x axis of all charts."""
        self.charts.explore(WHOLE)
        self._change_view(axis=AXES[(AXES.index(self.view.axis) + 1) % len(AXES)])

    def action_log_x(self) -> None:
        """Switch the x axis between logarithmic and linear."""
        self.charts.explore(WHOLE)
        self._change_view(log_x=not self.view.log_x)

    def _change_view(self, **changes: Any) -> None:
        self.view = replace(self.view, **changes)
        self.draw()

    def action_turn_charts(self, by: int) -> None:
        """Show the next or the previous charts."""
        self.charts.turn(by)
        self.draw()

    def action_save_chart(self) -> None:
        """Save the chart that was explored last."""
        plot = self.charts.current
        self.app.push_screen(SaveChart(plot, plot.title))

    def action_copy_readout(self) -> None:
        """Copy the values at the crosshair."""
        copy_readout(self, self.charts.current)

    def action_explore(self, what: str) -> None:
        """Move the crosshair of the charts, zoom or pan; go to the best epoch in the table and the matrix too."""
        self.charts.action_explore(what)
        if what == "best" and self.feed is not None and self.feed.history.best_epoch:
            self.chosen_epoch = self.feed.history.best_epoch
            self.draw()

    def action_epoch(self, by: int) -> None:
        """Choose the epoch before or after; after the last one, follow the latest again."""
        history = self.feed.history if self.feed else None
        if history is None or not history.epochs:
            return
        first, last = history.epochs[0].event.epoch, history.epochs[-1].event.epoch
        wanted = (self.chosen_epoch or last) + by
        self.chosen_epoch = 0 if wanted > last else max(first, wanted)
        self.draw()

    @on(EpochTable.Chosen)
    def _choose_epoch(self, event: EpochTable.Chosen) -> None:
        self.chosen_epoch = event.epoch
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for actions that do not apply now."""
        return is_offered(action, self.feed, self.size.width)

    def action_panel(self) -> None:
        """Switch to the next panel under the charts that the run has."""
        panels = [name for name in self.PANELS if self._has_panel(name)]
        self.panel = panels[(panels.index(self._panel_shown) + 1) % len(panels)]
        self._choose_panel()

    def _has_panel(self, name: str) -> bool:
        return name != "confusion" or not self.has_class("-no-confusion")

    @property
    def _panel_shown(self) -> str:
        """The chosen panel, or the first in place of one that the run does not have."""
        return self.panel if self._has_panel(self.panel) else self.PANELS[0]

    def _choose_panel(self) -> None:
        for name in self.PANELS:
            self.query_one(f"#{name}-panel").set_class(name == self._panel_shown, "-chosen")
