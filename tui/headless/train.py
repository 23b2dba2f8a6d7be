"""Training without screens: events become a progress bar, plain lines, or JSON lines."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.dataset import no_progress
from core.errors import ProcessLost, TorchtuiError
from core.events import EpochFinished, Event, Notice, RunFinished, RunStarted, to_json
from core.observers.settings import Extras, ensure_possible
from core.runs.folder import Run
from core.runs.requests import claimed
from core.runs.summary import summarise
from core.session.preload import load_backend
from core.status import has_failed
from core.torchrun import is_first
from tui.headless.train_views import ProgressView
from tui.runtime.signals import GuardedOutput, ignore_hangup, signals_stop
from tui.terminal.text import clean, count, duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.data.dataset import Progress
    from core.session.lifecycle import StartedRun
    from core.session.session import Prepared

__all__ = ["View", "choose_view", "train"]


class View(Protocol):
    """Shows a run as it goes on."""

    def begin(self, run: Run) -> None:
        """The run's folder is there."""

    def show(self, event: Event) -> None:
        """Show one event."""

    def preparing(self, what: str, done: int, total: int) -> None:
        """A download or the like goes on before it begins."""

    def close(self) -> None:
        """Leave the terminal as it was."""

    def finish(self, run: Run) -> None:
        """Show the results of a run that has ended."""


def choose_view(*, as_json: bool, quiet: bool) -> View:
    """JSON lines or nothing when asked for, a progress bar on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonView()
    if quiet:
        return QuietView()
    return ProgressView() if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else PlainView()


def train(
    config: TrainConfig,
    run: Run | None,
    *,
    runs_dir: Path,
    data_root: Path | None,
    view: View,
    received: list[int] | None = None,
) -> int:
    """Train, show, and return the exit code.

    Args:
        run: the run to resume; None starts a new one.
        received: collects the signals that come, also those that come too late to stop the run.

    Raises:
        TorchtuiError: something does not fit; nothing was written.
    """
    received = [] if received is None else received
    extras = Extras.from_environment()
    ensure_possible(extras)
    control = RunControl()
    # Both before torch is imported, which takes seconds.
    with ignore_hangup(), claimed(run if is_first() else None, control):
        load_backend()
        from core.session import session
        from core.session.lifecycle import start_or_resume
        from core.session.other_ranks import prepare_on_all_ranks
        from core.training.distributed import process_group

        with process_group() as group:
            prepare = partial(
                prepare_on_all_ranks, group, partial(session.prepare, config, data_root, run=run)
            )
            if group.rank:
                return _assist(config, run, prepare, control)
            try:
                started = start_or_resume(
                    config, run, runs_dir, prepare=prepare, on_progress=view.preparing, control=control
                )
                return _lead(started, view, extras, control, received) if started else 0
            finally:
                view.close()


def _lead(started: "StartedRun", view: View, extras: Extras, control: RunControl, received: list[int]) -> int:
    """Train in this process, or as the first of several."""
    with signals_stop(control, received):
        output = GuardedOutput(control, received)
        output(view.begin, started.run)
        finished = started.train(emit=partial(output, view.show), control=control, extras=extras)
        output(view.close)
        output(_print_error, finished)
        output(view.finish, started.run)
    return _exit_code(finished, received)


def _assist(
    config: TrainConfig, run: Run | None, prepare: "Callable[[Progress], Prepared]", control: RunControl
) -> int:
    """Train in another process than the first, which reports what is wrong with the configuration."""
    from core.session import session
    from core.session.other_ranks import assist

    try:
        state = session.resume_state(run, config) if run else None
        prepared = prepare(no_progress)
        with signals_stop(control) as received:
            return _exit_code(assist(prepared, control=control, state=state), received)
    except ProcessLost:
        raise
    except TorchtuiError as error:
        return error.exit_code


def _print_error(finished: RunFinished) -> None:
    """Print what went wrong, if anything did."""
    for line in finished.traceback.splitlines():
        print(clean(line), file=sys.stderr)
    if finished.error:
        print(f"error: {clean(finished.error)}", file=sys.stderr)


def _exit_code(finished: RunFinished, received: list[int]) -> int:
    if has_failed(finished.status):
        return 1
    if finished.status == "stopped" and received:
        return 128 + received[0]
    return 0


class QuietView:
    """Shows nothing."""

    def begin(self, run: Run) -> None: ...

    def show(self, event: Event) -> None: ...

    def preparing(self, what: str, done: int, total: int) -> None: ...

    def close(self) -> None: ...

    def finish(self, run: Run) -> None: ...


class JsonView(QuietView):
    """One event a line on standard output, and nothing else there."""

    def begin(self, run: Run) -> None:
        self.run_id = run.id

    def show(self, event: Event) -> None:
        print(to_json(event, self.run_id), flush=True)


class PlainView(QuietView):
    """One line an epoch, without control characters: fit for a file or a batch system's log."""

    def __init__(self) -> None:
        self.told = ""

    def show(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.epochs = event.epochs
        line = _plain_line(event, getattr(self, "epochs", 0))
        if line:
            print(line, flush=True)

    def preparing(self, what: str, done: int, total: int) -> None:
        if what != self.told:
            print(clean(what), flush=True)
            self.told = what

    def finish(self, run: Run) -> None:
        from tui.headless.report import print_summary

        print_summary(summarise(run, as_left=True))


def _plain_line(event: Event, epochs: int) -> str:
    """What a log says of an event; empty for what it leaves out."""
    if isinstance(event, RunStarted):
        sizes = "  ".join(f"{name} {count(size)}" for name, size in event.samples.items())
        return f"{event.task}  {sizes}  {count(event.parameters)} parameters  {event.device}  {event.threads} threads"
    if isinstance(event, EpochFinished):
        parts = [f"epoch {event.epoch}/{epochs}"]
        parts += [f"{name} {value:.4f}" for name, value in event.train.items()]
        parts += [f"validation {name} {value:.4f}" for name, value in event.validation.items()]
        best = "  *" if event.best_epoch == event.epoch else ""
        return "  ".join([*parts, duration_exact(event.seconds)]) + best
    if isinstance(event, Notice):
        return f"{event.level}: {clean(event.message)}"
    return ""


def duration_exact(seconds: float) -> str:
    """Seconds with two decimals under a minute, else hours, minutes and seconds."""
    return f"{seconds:.2f} s" if seconds < 60 else duration(seconds)
