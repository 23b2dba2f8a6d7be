"""The app: six modes and the followed run.

The first paint waits for Textual alone: the screens, their styles, the schema and numpy are read after it, then torch.
"""

import gc
import os
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Footer

from core.errors import RunError, TorchtuiError
from tui.app.faults import Faults
from tui.app.idle_garbage import LOOK_SECONDS, PAUSE_SECONDS, IdleGarbage
from tui.app.modes import SCREENS, first_styles, styles, stylesheet
from tui.app.palette import commands
from tui.app.title import Titled
from tui.app.windows import Windows
from tui.runtime.capture import Capture
from tui.runtime.compared_runs import ComparedRuns
from tui.runtime.console import RunConsole
from tui.runtime.settings import load_settings, save_settings
from tui.screens.base import MODES, ModeScreen, TopBar
from tui.screens.dialogs import Ask
from tui.screens.trust_prompt import with_consent
from tui.terminal.contrast import Legible
from tui.terminal.text import bytes_, clean
from tui.terminal.themes import register_themes

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.interop.readers.following import ForeignLog
    from core.runs.folder import Run
    from core.session.repeats import Repeats
    from tui.app.turns import Turns
    from tui.runtime.feed import RunFeed
    from tui.runtime.hosts.host import Host, WantedRun
    from tui.runtime.hosts.log_host import LogHost
    from tui.runtime.queue import Queue, Waiting

__all__ = ["TuiApp"]

SETTLE_SECONDS = 0.5
LEGIBLE = Legible()


class TuiApp(Titled, Windows):
    """From hyper-parameters to evaluation.

    Args:
        runs_dir: folder of runs; by default ``TUI_RUNS`` or ``./runs``.
        data_root: folder of datasets.
        values: nested values to fill the form with; by default those of the last session.
        start: start training them at once. name: what the user calls that run.
        follow: a run, or the log of another tool, to show live.
        capture: of what is printed meanwhile, which is kept with the run that this app trains.
    """

    TITLE = "torchtui"
    CSS = first_styles()
    ENABLE_COMMAND_PALETTE = True
    MODES: ClassVar = SCREENS
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(key), f"go('{mode}')", mode.capitalize(), show=False)
            for key, mode in enumerate(MODES, start=1)
        ),
        Binding("ctrl+pagedown", "turn(1)", "Next mode", show=False, priority=True),
        Binding("ctrl+pageup", "turn(-1)", "Previous mode", show=False, priority=True),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding("q", "quit", "Quit", show=False),
        Binding("Q", "queue", "Queue", show=False, tooltip="The runs that wait, and their order"),
        Binding("A", "agents", "Agents", show=False, tooltip="What agents do here, and the way to stop them"),
        Binding("ctrl+s", "table", "Table", show=False, tooltip="Save or copy the table, a row or a value"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False),
    ]

    device_label: reactive[str] = reactive("")

    def __init__(
        self,
        *,
        runs_dir: Path | None = None,
        data_root: Path | None = None,
        values: dict[str, Any] | None = None,
        start: bool = False,
        name: str = "",
        follow: "Run | ForeignLog | None" = None,
        capture: Capture | None = None,
    ) -> None:
        super().__init__()
        self.capture = capture
        self.run_console = (
            RunConsole(capture.read, self._run_here, self._warn_run) if capture is not None else None
        )
        if capture is not None:
            self.error_console.file = capture.errors
        self.runs_dir = runs_dir or Path(os.environ.get("TUI_RUNS") or "runs").expanduser()
        self.data_root = data_root
        self.settings, self._damaged_settings = load_settings()
        register_themes(self, self.settings.theme)
        self.form_values: dict[str, Any] = values if values is not None else self.settings.form
        self.feed: RunFeed | None = None  # the run shown in Live
        self.compared = ComparedRuns()
        self.turns: Turns | None = None  # once a run waits, or was handed over
        self._start_at_once, self._follow, self.run_name = start, follow, name
        self._faults = Faults()
        self._garbage = IdleGarbage()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of what is drawn; the last one keeps colours readable."""
        filters = super().get_line_filters()
        return filters if self.no_color else [*filters, LEGIBLE]

    def survives(self, error: Exception) -> bool:
        """Show a fault of the app, which goes on, and with it the run that it trains."""
        return self._faults.survive(self, error)

    def on_mount(self) -> None:
        self.hold_input()
        self._garbage.start()
        self.set_interval(LOOK_SECONDS, lambda: self._garbage.look(self.last_input))
        if self.capture is not None and self.run_console is not None:
            self.capture.take_streams()
            self.run_console.start()
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        self.app_resume_signal.subscribe(self, self._redraw)
        if self._damaged_settings:
            self.notify(clean(self._damaged_settings), severity="warning", markup=False)
        self.call_after_refresh(self.run_worker, self._load, thread=True, name="load")

    def _redraw(self, resumed: object) -> None:
        """Draw all again after Ctrl-Z and `fg`: the terminal has forgotten it."""
        self.screen.refresh()

    def compose(self) -> ComposeResult:
        """Yield what all screens share, for the first paint."""
        yield TopBar("")
        yield Footer()

    def _load(self) -> None:
        """Import what the first screen needs, and show it; keys wait until then."""
        try:
            first = self._first_mode()
            import_module(f"tui.screens.{first}.screen")
            import_module("tui.app.handover")
            self.call_from_thread(self._open, first)
        finally:
            gc.enable()  # off since the imports of `open_app`
            self.call_later(self.release_input)

    def _first_mode(self) -> str:
        """Return the mode to start with."""
        if self._start_at_once or self._follow:
            return "live"
        from core.runs.folder import all_runs
        from core.tuning.study.folder import all_studies

        try:
            empty = not (all_runs(self.runs_dir) or all_studies(self.runs_dir) or self._has_logs())
        except RunError:  # Runs reports what is wrong with the folder
            empty = False
        return "configure" if empty else "runs"

    def _has_logs(self) -> bool:
        """Return whether other tools have written logs below the folder of runs; readers load where there is one."""
        if not self.runs_dir.is_dir():
            return False
        from core.interop.readers.logs import find_logs

        return next(find_logs(self.runs_dir), None) is not None

    def _load_backend(self) -> None:
        """Import what draws the first chart, then torch, and report the device that `auto` selects."""
        from core.devices import discover
        from core.session.preload import load_backend
        from tui.charts.plot import load_charts

        load_charts()
        load_backend()
        best = discover()[0]
        label = clean(f"{best.name} {best.label}  {bytes_(best.memory)}")
        self.call_from_thread(setattr, self, "device_label", label)

    def read_styles(self) -> None:
        """Read the styles of all screens."""
        self.stylesheet.add_source(styles(), (str(stylesheet()), ""))

    def _open(self, first: str) -> None:
        """Show the first screen, start what was asked for, and import torch once the screen has its content."""
        if not self.is_running:  # the app quit before the first screen was ready
            return
        self.read_styles()
        self.set_timer(SETTLE_SECONDS, lambda: self.run_worker(self._load_backend, thread=True))
        if self._follow is not None:
            self.open_run(self._follow)
        elif self._start_at_once:
            from core.config import schema as configuration

            self.start_run(configuration.from_dict(self.form_values))
        else:
            self.switch_mode(first)

    def start_run(self, config: "TrainConfig", host: "Host | None" = None) -> None:
        """Train a configuration, by the name in `run_name`, on a host, by default in this app, and show it live.

        While this app trains another one, ask when or where.
        """
        from tui.app.starting import start

        start(self, config, host)

    def start_waiting(self, one: "Waiting") -> None:
        """Start a run whose turn has come."""
        from tui.app.starting import start_waiting

        start_waiting(self, one)

    def start_repeats(self, host: "Host", wanted: "Sequence[WantedRun]", repeats: "Repeats") -> None:
        """Start a run for each fold or seed on another host than this app."""
        from tui.app.starting import all_elsewhere

        all_elsewhere(self, host, wanted, repeats)

    def resume_run(self, run: "Run", host: "Host | None" = None) -> None:
        """Resume an interrupted or stopped run on a host, by default in this app."""
        from tui.app.starting import resume

        resume(self, run, host)

    def enqueue(self, *more: "Waiting") -> None:
        """Let runs wait for their turn; the first one starts at once where none trains here."""
        self._turns().add(*more)
        waiting = len(self._turns().waiting)
        if waiting:
            self.tell(f"{waiting} waiting, the next one starts when this run ends. Q shows the queue.")

    def queue_changed(self) -> None:
        """Show how many runs wait."""
        if isinstance(self.screen, ModeScreen):
            self.screen.queue_changed()

    @property
    def waiting(self) -> "Queue":
        """The runs that wait for their turn."""
        return self.turns.waiting if self.turns is not None else ()

    def _turns(self) -> "Turns":
        if self.turns is None:
            from tui.app.turns import Turns

            self.turns = Turns(self)
        return self.turns

    def handed_over(self, host: "LogHost") -> None:
        """Let runs that wait do so for the end of a run that a background process took over."""
        self._turns().ahead = host

    def action_queue(self) -> None:
        """Show the runs that wait."""
        from tui.screens.queue_dialog import QueueDialog

        if isinstance(self.screen, ModeScreen):
            self.push_screen(QueueDialog(lambda: self.waiting, lambda queue: self._turns().change(queue)))

    def open_run(self, run: "Run | ForeignLog") -> None:
        """Show a run live: the one this app trains, any other through its log, or what another tool logs."""
        from core.runs.folder import Run
        from core.runs.script import is_imported
        from tui.runtime.feed import RunFeed

        if isinstance(run, Run) and is_imported(run.path):
            from core.interop.readers.importing import original_of

            run = original_of(run) or run
        if not isinstance(run, Run):
            from tui.runtime.foreign_host import ForeignHost

            self.show_live(RunFeed(ForeignHost(run)))
        elif self.feed is None or self.feed.host.run != run or self._has_ended_here():
            if self.training_here:
                self.notify(
                    "A run is training here. Stop it, or press d to move it to the background, to follow another.",
                    severity="warning",
                )
                return
            from tui.runtime.hosts.job_host import follower

            self.show_live(RunFeed(follower(run)))
        else:
            self.switch_mode("live")

    def evaluate_run(self, run: "Run") -> None:
        """Open a run in Evaluate."""

        def open_it() -> None:
            self.switch_mode("evaluate")
            from tui.screens.evaluate.screen import EvaluateScreen

            assert isinstance(self.screen, EvaluateScreen)
            self.screen.open_run(run)

        try:
            config = run.config()
        except TorchtuiError:  # the screen reports what is missing
            open_it()
        else:
            with_consent(self, config, open_it, run=run, refused=open_it)

    def tell(self, text: str, severity: SeverityLevel = "information") -> None:
        """Tell a result: at once, and among the messages of the run in Live."""
        self.notify(clean(text), severity=severity, markup=False)
        if self.feed is not None:
            from core.events import Notice

            level: Literal["info", "error"] = "error" if severity == "error" else "info"
            self.feed.history.apply(Notice(level=level, message=text))

    def on_unmount(self) -> None:
        self._garbage.stop()
        self.give_title_back()

    def action_go(self, mode: str) -> AwaitMount | None:
        """Switch to a mode; keys that are pressed until its screen is there wait for it."""
        if not isinstance(self.screen, ModeScreen):
            return None
        self.set_timer(PAUSE_SECONDS, lambda: self._garbage.look_in_pause(self.last_input))
        return self.switch_mode(mode)

    def action_turn(self, by: int) -> AwaitMount | None:
        """Switch to the next or previous mode."""
        if self.current_mode not in MODES:  # before the first one is shown
            return None
        return self.action_go(MODES[(MODES.index(self.current_mode) + by) % len(MODES)])

    async def action_quit(self) -> None:
        """Quit the app; ask first while it is training a run, or runs wait."""
        if not self.training_here and not self.waiting:
            self.leave()
            return
        from tui.app.handover import quit_after, quit_question

        self.push_screen(Ask(*quit_question(self)), partial(quit_after, self))

    def stop_training(self) -> str:
        """Stop and save the run that this app trains, and wait for it; return what to tell about it."""
        from tui.app.handover import stop_and_tell

        return stop_and_tell(self)

    def detach(self) -> str:
        """Continue the run of this app in a background process, and quit; return what to tell about it."""
        from tui.app.handover import detach

        return detach(self)

    def keep_printed(self, *, to_the_end: bool = False) -> None:
        """Keep what was printed so far with the run of this app; to the end, if the app has quit."""
        if self.run_console is not None and to_the_end:
            self.run_console.close()
        elif self.run_console is not None:
            self.run_console.poll()

    def detach_and_follow(self) -> None:
        """Hand the run of this app over to a background process, and follow it there."""
        from tui.app.handover import detach_and_follow

        detach_and_follow(self)

    def leave(self, message: str = "") -> None:
        """Save the settings and exit.

        Args:
            message: printed to the terminal after exit.
        """
        self.settings.form = self.form_values
        problem = save_settings(self.settings)
        self.exit(message=clean("\n".join(filter(None, (message, problem)))) or None)

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        """Yield the commands of the palette."""
        yield from commands(self, screen)

    def _run_here(self) -> "Run | None":
        return self.feed.host.run if self.feed is not None and self.feed.in_app else None

    def _warn_run(self, message: str) -> None:
        from tui.runtime.hosts.app_host import AppHost

        if self.feed is not None and isinstance(self.feed.host, AppHost):
            self.feed.host.warn(message)

    @property
    def training_here(self) -> bool:
        """Return whether a run is training in this process."""
        return self.feed is not None and self.feed.in_app

    def show_live(self, feed: "RunFeed") -> None:
        """Show a run live."""
        self.feed = feed
        self.switch_mode("live")

    def _has_ended_here(self) -> bool:
        """Return whether the displayed run was trained by this app; only its log tells who resumed it since."""
        return self.feed is not None and self.feed.trained_here and not self.feed.in_app

    def _remember_theme(self, theme: Any) -> None:
        self.settings.theme = theme.name
