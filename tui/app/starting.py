"""Starting and resuming runs: in this app, in a background process, or when their turn comes."""

from typing import TYPE_CHECKING

from core.errors import TorchtuiError
from core.runs.folder import Run, create_run
from tui.runtime.feed import RunFeed
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.hosts.log_host import LogHost
from tui.runtime.queue import Waiting
from tui.screens.dialogs import Ask
from tui.screens.trust_prompt import with_consent

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from tui.app.app import TuiApp

__all__ = ["resume", "start", "start_waiting"]


def start(app: "TuiApp", config: "TrainConfig", *, background: bool) -> None:
    """Train a configuration, by the name that was typed for it; ask when or where while the app trains another one."""
    begin = in_background if background else here
    with_consent(app, config, lambda: begin(app, config), refused=lambda: app.switch_mode("configure"))


def resume(app: "TuiApp", run: Run) -> None:
    """Resume an interrupted or stopped run in the app."""
    try:
        config = run.config()
    except TorchtuiError as error:
        app.show_error(error)
    else:
        with_consent(app, config, lambda: here(app, config, run), run=run)


def here(app: "TuiApp", config: "TrainConfig", run: Run | None = None) -> None:
    """Train in the app, unless another run trains here or waits."""
    if app.training_here or app.waiting:
        _ask_when(app, config, run)
    else:
        app.show_live(RunFeed(AppHost(config, app.runs_dir, app.data_root, run, _take_name(app, run))))


def in_background(app: "TuiApp", config: "TrainConfig", run: Run | None = None) -> None:
    """Train in a process of its own, and show it live, unless the app trains another one."""
    try:
        run = run or create_run(app.runs_dir, config, name=_take_name(app, run))
        host = LogHost(run, launch_in_background(run, app.data_root))
    except TorchtuiError as error:
        app.show_error(error)
        return
    if app.training_here:  # Live keeps showing the run that trains here
        app.tell(f"{run.id} trains in the background; 1 Runs lists it.")
    else:
        app.show_live(RunFeed(host))


def start_waiting(app: "TuiApp", one: Waiting) -> None:
    """Start a run whose turn has come; the screen stays, unless nothing has been shown live yet."""
    feed = RunFeed(AppHost(one.config, app.runs_dir, app.data_root, one.run, one.given_name))
    if app.feed is None:
        app.show_live(feed)
    else:
        app.feed = feed
        app.tell(f"Started: {one.name}")


def _ask_when(app: "TuiApp", config: "TrainConfig", run: Run | None) -> None:
    """Ask whether a run waits for the one that trains here, or trains beside it."""

    def answered(answer: str | None) -> None:
        if answer == "queue":
            app.enqueue(Waiting(config, _take_name(app, run), run=run))
        elif answer == "background":
            in_background(app, config, run)

    wait = f"{len(app.waiting)} waiting" if app.waiting else ""
    ahead = ", ".join(filter(None, ("A run is training here" if app.training_here else "", wait)))
    answers = {"queue": "Start when it ends", "background": "Start in the background", "cancel": "Cancel"}
    app.push_screen(Ask(f"{ahead}.", answers), answered)


def _take_name(app: "TuiApp", run: Run | None) -> str:
    """Return the name typed for the next new run, which is used once."""
    if run is not None:
        return ""
    name, app.run_name = app.run_name, ""
    return name
