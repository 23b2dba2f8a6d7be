"""The queue of the app: the next run starts here when the one before has ended, however it ended."""

from typing import TYPE_CHECKING

from core.errors import TorchtuiError
from core.status import has_failed
from tui.runtime.hosts.log_host import LogHost
from tui.runtime.queue import Queue, Waiting, appended

if TYPE_CHECKING:
    from textual.timer import Timer

    from core.runs.folder import Run
    from tui.app.app import TuiApp

__all__ = ["Turns"]

LOOK_SECONDS = 0.5


class Turns:
    """Starts runs of the app in turn.

    Attributes:
        waiting: the runs that wait; see `tui.runtime.queue`.
        ahead: the run of this app that a background process took over, if it was; the next one waits for its end, too.
    """

    def __init__(self, app: "TuiApp") -> None:
        self.app = app
        self.waiting: Queue = ()
        self.ahead: LogHost | None = None
        self._current: Waiting | None = None
        self._timer: Timer | None = None

    def add(self, *more: Waiting) -> None:
        """Put runs at the end; the first one starts at once where nothing trains."""
        self.change(appended(self.waiting, *more))
        self.look()

    def change(self, queue: Queue) -> None:
        """Replace the runs that wait."""
        self.waiting = queue
        if queue and self._timer is None:
            self._timer = self.app.set_interval(LOOK_SECONDS, self.look)
        self.app.queue_changed()

    def look(self) -> None:
        """Start the next run, unless one trains."""
        app = self.app
        if app.training_here or (self.ahead is not None and self.ahead.alive):
            return
        ended, self._current, self.ahead = self._current, None, None
        if ended is not None:
            self._tell_of(ended)
        if self.waiting:
            first, *rest = self.waiting
            self._current = first
            self.change((*rest,))
            app.start_waiting(first)
        elif self._timer is not None:
            self._timer.stop()
            self._timer = None

    def pause(self) -> None:
        """Start no more runs: the app quits."""
        if self._timer is not None:
            self._timer.pause()

    def take(self) -> "list[Run]":
        """Give each run that waits a folder, and empty the queue; for another process that trains them.

        Raises:
            TorchtuiError: a folder cannot be made.
        """
        from tui.runtime.hosts.host import WantedRun

        runs_dir, data_root = self.app.runs_dir, self.app.data_root
        wanted = [
            WantedRun(one.config, runs_dir, data_root, one.given_name, one.run, one.together)
            for one in self.waiting
        ]
        runs = [one.folder() for one in wanted]
        self.change(())
        return runs

    def _tell_of(self, ended: Waiting) -> None:
        """Tell of a run that failed while another screen may have been shown, and of repeats that are complete."""
        feed = self.app.feed
        if feed is not None and feed.trained_here:
            feed.poll()
            if has_failed(feed.status):
                finished = feed.history.finished
                reason = str(feed.host.error or (finished.error if finished is not None else ""))
                self.app.tell(f"{ended.name} {feed.status}: {reason}", "error")
        if ended.repeats is not None and all(one.repeats is not ended.repeats for one in self.waiting):
            self.app.run_worker(lambda: self._tell_spread(ended), thread=True, name="repeats")

    def _tell_spread(self, ended: Waiting) -> None:
        """Summarise repeats; runs in a thread."""
        from tui.screens.jobs.repeats import outcome

        assert ended.repeats is not None
        try:
            text, runs = outcome(ended.repeats, ended.config, self.app.runs_dir, ended.together)
        except TorchtuiError as error:
            self.app.call_from_thread(self.app.tell, str(error), "error")
        else:
            self.app.call_from_thread(self._compare, text, runs)

    def _compare(self, text: str, runs: "list[Run]") -> None:
        from core.config.schema import to_dict
        from core.runs.comparison.groups import key_of

        for run in runs:
            self.app.compared.add(run, key_of(to_dict(run.config())))
        self.app.compared.touched = True
        self.app.tell(f"{text}. 6 compares them.")
