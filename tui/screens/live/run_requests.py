"""Requests of a user to the run in Live, which the process that trains it follows after its current batch."""

from core.control import Request
from core.errors import TorchtuiError
from core.runs.folder import Run
from core.status import is_active
from tui.forms.remedies import error_in_app
from tui.runtime.feed import RunFeed
from tui.screens.dialogs import Ask
from tui.screens.jobs.actions import JobActions
from tui.terminal.text import clean

__all__ = ["RunRequests"]


class RunRequests(JobActions):
    """A screen of the followed run, with the keys that pause, save, stop and detach it."""

    @property
    def feed(self) -> RunFeed | None:
        """The followed run."""
        return self.tui.feed

    @property
    def job_run(self) -> Run | None:
        return self.feed.host.run if self.feed is not None else None

    def action_pause(self) -> None:
        """Pause or continue the run."""
        if self.feed is not None:
            self.request("resume" if self.feed.history.paused else "pause")

    def action_stop(self) -> None:
        """Confirm, then save and stop the run."""
        then = " The next of the queue starts then." if self.tui.waiting else ""
        ask = Ask(
            f"Save this run and stop it? It can be resumed later.{then}",
            {"stop": "Stop", "stay": "Keep running"},
        )
        self.app.push_screen(ask, lambda answer: self.request("stop") if answer == "stop" else None)

    def action_checkpoint(self) -> None:
        """Save a checkpoint after the current batch."""
        self.request("checkpoint")

    def request(self, request: Request) -> None:
        """Ask the process that trains the run for something."""
        feed = self.feed
        if feed is None or not is_active(feed.status):
            self.notify("This run is not being trained.", severity="warning")
            return
        try:
            feed.host.request(request)
        except TorchtuiError as error:
            self.notify(clean(error_in_app(error)), severity="error", markup=False)

    def action_detach(self) -> None:
        """Hand the run over to a background process."""
        self.tui.detach_and_follow()

    def action_evaluate(self) -> None:
        """Open the run in Evaluate."""
        if self.feed is not None and self.feed.host.run is not None:
            self.tui.evaluate_run(self.feed.host.run)
