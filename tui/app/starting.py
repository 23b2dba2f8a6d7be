"""Starting and resuming runs: in this app, in a background process, or when their turn comes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.errors import TorchtuiError
from core.runs.folder import Run
from tui.runtime.feed import RunFeed
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.background import Background
from tui.runtime.hosts.here import Here
from tui.runtime.hosts.host import Host, Started, WantedRun
from tui.runtime.queue import Waiting
from tui.screens.dialogs import Ask
from tui.screens.trust_prompt import with_consent

if TYPE_CHECKING:
    from core.config.schema import TrainConfig
    from core.session.repeats import Repeats
    from tui.app.app import TuiApp

__all__ = ["all_elsewhere", "resume", "start", "start_waiting"]


def start(app: "TuiApp", config: "TrainConfig", host: Host | None) -> None:
    """Train a configuration, by the name that was typed for it; ask when or where while the app trains another one.

    Args:
        host: where; None for this app.
    """

    def begin() -> None:
        if host is None or isinstance(host, Here):
            here(app, config)
        else:
            elsewhere(app, config, host)

    with_consent(app, config, begin, refused=lambda: app.switch_mode("configure"))


def resume(app: "TuiApp", run: Run, host: Host | None = None) -> None:
    """Resume an interrupted or stopped run.

    Args:
        host: where; None for this app.
    """
    try:
        config = run.config()
    except TorchtuiError as error:
        app.show_error(error)
        return

    def begin() -> None:
        if host is None:
            here(app, config, run)
        else:
            elsewhere(app, config, host, run)

    with_consent(app, config, begin, run=run)


def here(app: "TuiApp", config: "TrainConfig", run: Run | None = None) -> None:
    """Train in the app, unless another run trains here or waits."""
    if app.training_here or app.waiting:
        _ask_when(app, config, run)
    else:
        app.show_live(RunFeed(AppHost(config, app.runs_dir, app.data_root, run, _take_name(app, run))))


def elsewhere(app: "TuiApp", config: "TrainConfig", host: Host, run: Run | None = None) -> None:
    """Train on another host than this app, and show it live, unless the app trains another one."""
    wanted = WantedRun(config, app.runs_dir, app.data_root, _take_name(app, run), run)
    _start_there(app, host, lambda: host.start(wanted))


def all_elsewhere(app: "TuiApp", host: Host, wanted: Sequence[WantedRun], repeats: "Repeats") -> None:
    """Train a run for each fold or seed on another host than this app, and show the first one live.

    Args:
        wanted: those that are not trained yet, at least one.
    """
    from tui.runtime.repeats import words_of

    kept = wanted[0].name.removesuffix(f" {repeats.kind} {repeats.number(wanted[0].config)}")
    _start_there(app, host, lambda: host.start_all(wanted, words_of(repeats, kept)))


def _start_there(app: "TuiApp", host: Host, start: Callable[[], Started]) -> None:
    if not host.asks_others:
        _show_started(app, *_started(start))
        return
    app.run_worker(
        lambda: app.call_from_thread(_show_started, app, *_started(start)), thread=True, name="start"
    )


def _started(start: Callable[[], Started]) -> tuple[Started | None, TorchtuiError | None]:
    try:
        return start(), None
    except TorchtuiError as error:
        return None, error


def _show_started(app: "TuiApp", started: Started | None, error: TorchtuiError | None) -> None:
    if error is not None:
        app.show_error(error)
    if started is None:
        return
    if app.training_here:  # Live keeps showing the run that trains here
        app.tell(f"{started.message}; 1 Runs lists {'them' if started.others else 'it'}.")
        return
    app.show_live(RunFeed(started.host))
    if started.others:
        app.tell(f"{started.message}; 1 Runs lists them.")


def start_waiting(app: "TuiApp", one: Waiting) -> None:
    """Start a run whose turn has come; the screen stays, unless nothing has been shown live yet."""
    host = AppHost(one.config, app.runs_dir, app.data_root, one.run, one.given_name, one.together)
    feed = RunFeed(host)
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
            elsewhere(app, config, Background(), run)

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
