"""Handover of the run that the app trains: saved and stopped, or handed over to a background process.

The run stops after its current step, and the screens stay responsive meanwhile. Only the functions used when no
screen is visible block.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from core.counting import counted
from core.errors import TorchtuiError
from core.runs.creating import create_run
from core.status import is_ended
from tui.runtime.feed import RunFeed
from tui.runtime.hosts.app_host import AppHost
from tui.runtime.hosts.launching import launch_in_background
from tui.runtime.hosts.log_host import LogHost

if TYPE_CHECKING:
    from tui.app.app import TuiApp

__all__ = ["detach", "detach_and_follow", "quit_after", "quit_question", "stop", "stop_and_tell"]

STOP_SECONDS = 30.0
"""Maximum wait for the current step when the app quits."""
POLL_SECONDS = 0.05


def stop(app: "TuiApp") -> None:
    """Stop and save the run that the app trains; wait for it at most `STOP_SECONDS`."""
    if app.feed is not None and app.feed.in_app:
        app.feed.host.request("stop")
        app.feed.host.join(STOP_SECONDS)
        app.feed.poll()


def stop_and_tell(app: "TuiApp") -> str:
    """Stop the run as `stop` does; return what to tell about it, empty if the app trained none."""
    if app.feed is None or not app.feed.in_app:
        return ""
    stop(app)
    return _last_words(app.feed)


def detach(app: "TuiApp") -> str:
    """Continue the run of the app in a background process; wait as `stop` does. The app must quit afterwards.

    If a step takes longer than that, the run resumes from the previous checkpoint.

    Returns:
        What to tell about it, empty if the app trained none.
    """
    if app.feed is None or not app.feed.in_app:
        return _queue_words(_hand_queue_over(app, None))
    stop(app)
    host = _hand_over(app, app.feed)
    return ". ".join(
        filter(None, (_parting_words(host, app.feed), _queue_words(_hand_queue_over(app, host))))
    )


def detach_and_follow(app: "TuiApp") -> None:
    """Continue the run of the app in a background process, and follow it there."""
    app.notify("Once saved, this run continues in a background process.")
    _part(app, _detach_and_follow)


def quit_question(app: "TuiApp") -> tuple[str, dict[str, str]]:
    """Return what is asked before the app quits, with the answers that `quit_after` takes."""
    waiting = len(app.waiting)
    if not waiting:
        return (
            "This app is training a run. Stop and save it, or let it continue in the background?",
            {"stop": "Stop, save and quit", "detach": "Detach and quit", "stay": "Stay"},
        )
    wait = counted(waiting, "run waits", "runs wait")
    if not app.training_here:
        return (
            f"{wait} for their turn. Let them do so in the queue, which goes on without the app, or drop them?",
            {"queue": "Put them into the queue", "drop": "Drop them and quit", "stay": "Stay"},
        )
    return (
        f"This app is training a run, and {wait} for it. Let it go on in the background, and the others in the queue?",
        {
            "queue": "Detach all and quit",
            "detach": "Detach this one, drop the queue",
            "stop": "Stop and save it, drop the queue",
            "stay": "Stay",
        },
    )


def quit_after(app: "TuiApp", answer: str | None) -> None:
    """Quit the app as an answer to `quit_question` asks; ``stay`` and no answer do nothing."""
    ways = {"stop": _stop_and_leave, "detach": _detach_and_leave, "queue": _detach_all_and_leave}
    if answer in ("stop", "detach", "drop") and app.turns is not None:
        app.turns.change(())
    if answer == "drop" or (answer == "queue" and not app.training_here):
        _leave_queue(app)
    elif answer in ways:
        app.notify("The app quits as soon as the run is saved.")
        _part(app, ways[answer])


def _leave_queue(app: "TuiApp") -> None:
    """Quit while nothing trains here; the runs that still wait do so in the queue of the user."""
    try:
        app.leave(_queue_words(_hand_queue_over(app, None)))
    except TorchtuiError as error:
        app.show_error(error)


def _part(app: "TuiApp", way: "Callable[[TuiApp, RunFeed], Coroutine[Any, Any, None]]") -> None:
    """Beside the screens; who asks for another way meanwhile gets that one."""
    if app.feed is not None:
        app.run_worker(_told(app, way(app, app.feed)), group="parting", exclusive=True)


async def _told(app: "TuiApp", parting: Coroutine[Any, Any, None]) -> None:
    try:
        await parting
    except TorchtuiError as error:
        app.show_error(error)


async def _detach_and_follow(app: "TuiApp", feed: RunFeed) -> None:
    await _end_of(feed, math.inf)
    host = _hand_over(app, feed)
    if host is None:
        app.notify("The run has already ended.")
    else:
        app.feed = RunFeed(host)
        app.handed_over(host)


async def _stop_and_leave(app: "TuiApp", feed: RunFeed) -> None:
    await _end_of(feed, STOP_SECONDS)
    app.leave(_last_words(feed))


async def _detach_and_leave(app: "TuiApp", feed: RunFeed) -> None:
    await _end_of(feed, math.inf)
    host = _hand_over(app, feed)
    app.leave(_parting_words(host, feed))


async def _detach_all_and_leave(app: "TuiApp", feed: RunFeed) -> None:
    if app.turns is not None:
        app.turns.pause()
    await _end_of(feed, math.inf)
    host = _hand_over(app, feed)
    handed = _hand_queue_over(app, host)
    app.leave(". ".join(filter(None, (_parting_words(host, feed), _queue_words(handed)))))


async def _end_of(feed: RunFeed, seconds: float) -> None:
    """Ask the run to stop, and wait for it at most `seconds`."""
    feed.host.request("stop")
    deadline = time.monotonic() + seconds
    while feed.in_app and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
    feed.poll()


def _hand_over(app: "TuiApp", feed: RunFeed) -> LogHost | None:
    """Resume a run that was asked to stop in a background process; return None if it ended on its own.

    A run that was stopped before it had a folder gets one now.

    Raises:
        TorchtuiError: its folder cannot be written.
    """
    host = feed.host
    if not isinstance(host, AppHost) or (is_ended(feed.status) and feed.status != "stopped"):
        return None
    run = host.run or create_run(host.runs_dir, host.config, name=host.given_name)
    app.keep_printed()  # before the other process prints into the same file
    return LogHost(run, launch_in_background(run, app.data_root))


def _hand_queue_over(app: "TuiApp", host: LogHost | None) -> int:
    """Let the runs that wait do so in the queue of the user, and return how many.

    Args:
        host: of the run that they wait for; None if none trains, or one that was handed over before.

    Raises:
        TorchtuiError: a folder cannot be written.
    """
    if app.turns is None or not app.turns.waiting:
        return 0
    from tui.runtime.hosts.host import WantedRun
    from tui.runtime.user_queue.adding import add_run

    ahead = host or app.turns.ahead
    runs = app.turns.take()
    for run in runs:
        wanted = WantedRun(run.config(), app.runs_dir, app.data_root, run=run)
        add_run(wanted, after=ahead.run.path if ahead is not None else None)
    return len(runs)


def _queue_words(count: int) -> str:
    """Return the message about runs that wait in the queue now."""
    return f"{counted(count, 'run')} in the queue; `tui queue` lists what waits" if count else ""


def _parting_words(host: LogHost | None, feed: RunFeed) -> str:
    """Return the message about a run that was handed over to `host`, or has ended on its own."""
    return f"{host.name} continues in the background; `tui` shows it" if host else _last_words(feed)


def _last_words(feed: RunFeed) -> str:
    """Return the message about the run on leaving the app; empty for a run that never started."""
    from tui.forms.command_line import resume_command

    run = feed.host.run
    if run is None:
        return ""
    what = "saved"
    if feed.in_app:
        what = (
            f"its step did not finish within {STOP_SECONDS:.0f} s: progress since the last checkpoint is lost"
        )
    elif feed.history.saved_step < feed.history.step:
        what = f"{run.path} could not be written, such as for a full disk: progress since the last checkpoint is lost"
    if feed.in_app or feed.status == "stopped":
        return f"{what}; resume with: {resume_command('train', run.path)}"
    return f"{feed.host.name} {'is' if feed.status == 'completed' else 'has'} {feed.status}"
