"""The folder of a script's run, from which everything that it keeps goes to disk."""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from core.control import RunControl
from core.errors import RunError
from core.events import EvaluationFinished, Event, Notice, RunFinished, RunStarted
from core.interop.best_epoch import Best
from core.interop.script_console import ScriptConsole
from core.interop.script_files import ScriptCheckpoints
from core.runs.folder import Run
from core.runs.lock import missing_lock_warning
from core.runs.log import EventLog
from core.runs.requests import claimed
from core.session.recorder import Recorder

if TYPE_CHECKING:
    from core.observers.settings import Extras
    from core.runs.media.store import MediaStore

__all__ = ["Kept", "NotKept", "ScriptRun"]


class Kept(Protocol):
    """Takes what a script reports."""

    @property
    def run(self) -> Run: ...
    def emit(self, event: Event) -> None: ...
    def checkpoint(self, weights: Mapping[str, Any], epoch: int, step: int, best: Best) -> None: ...
    def evaluation(self, predictions: Any, report: Any) -> None: ...
    def media(self, name: str, item: Any, *, step: int, epoch: int, done: int) -> None: ...
    def end(self, finished: RunFinished) -> None: ...


class ScriptRun:
    """Holds the run's lock, writes its log, and tells the observers, until it ends.

    Raises:
        RunLocked: another process writes this run.
        RunError: its folder cannot be written.
    """

    def __init__(
        self, run: Run, control: RunControl, device: str, extras: "Extras", *, console: bool
    ) -> None:
        from core.observers.hub import observing

        self.run = run
        self._held = ExitStack()
        self._held.enter_context(claimed(run, control))
        self._recorder = Recorder(EventLog(run), _tell)
        self._observers = self._held.enter_context(observing(run, extras, self._recorder.emit, device))
        self._checkpoints = ScriptCheckpoints(run)
        self._media: MediaStore | None = None
        self._media_limit = extras.media
        self._console = console

    def begin(self, started: RunStarted) -> None:
        """Emit the first event, and keep what the script prints if that is wanted."""
        self.emit(started)
        if message := missing_lock_warning(self.run):
            self.emit(Notice(level="warning", message=message))
        if self._console:
            self._held.callback(ScriptConsole(self.run.console_file).close)

    def emit(self, event: Event) -> None:
        """Write an event, and pass it on."""
        self._observers.emit(event)

    def checkpoint(self, weights: Mapping[str, Any], epoch: int, step: int, best: Best) -> None:
        """Write a state_dict as ``last.pt``, right after the best epoch as ``best.pt`` too."""
        for event in self._checkpoints.save(weights, epoch, step, best):
            self.emit(event)

    def evaluation(self, predictions: Any, report: Any) -> None:
        """Keep predictions and their evaluation."""
        from core.inference.saving import save_evaluation

        save_evaluation(self.run, predictions, report)
        self.emit(EvaluationFinished(split=report.split, metrics=report.metrics))

    def media(self, name: str, item: Any, *, step: int, epoch: int, done: int) -> None:
        """Keep an image, a text or a histogram; what makes files of them is imported at the first one.
        A limit of 0 keeps none.

        Raises:
            DataError: it is none.
        """
        if not self._media_limit:
            return
        from core.runs.media.store import MediaStore

        self._media = self._media or MediaStore(self.run, self.emit, self._media_limit)
        self._media.keep(name, item, step=step, epoch=epoch, done=done)

    def end(self, finished: RunFinished) -> None:
        """Emit the last event and give the run free."""
        self._observers.end(finished)
        self._recorder.close()
        self._held.close()


class NotKept:
    """Takes what the other processes of a job report, of which the first one writes the run.

    Args:
        who: which process this is, for messages.
    """

    def __init__(self, who: str) -> None:
        self._who = who

    @property
    def run(self) -> Run:
        """There is none.

        Raises:
            RunError: always.
        """
        raise RunError(f"{self._who} writes no run", "The first process of the job does; ask there")

    def emit(self, event: Event) -> None:
        """Drop an event."""

    def checkpoint(self, weights: Mapping[str, Any], epoch: int, step: int, best: Best) -> None:
        """Drop weights."""

    def evaluation(self, predictions: Any, report: Any) -> None:
        """Drop an evaluation."""

    def media(self, name: str, item: Any, *, step: int, epoch: int, done: int) -> None:
        """Drop an image, a text or a histogram."""

    def end(self, finished: RunFinished) -> None:
        """End nothing."""


def _tell(event: Event) -> None:
    """Report to Python's own log: on standard error, unless the script says otherwise."""
    if isinstance(event, Notice) and event.level != "info":
        logging.getLogger("torchtui").warning(event.message)
