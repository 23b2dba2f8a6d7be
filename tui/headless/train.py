"""Training without screens: events become a progress bar, plain lines, or JSON lines."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import RunError, TorchtuiError
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

    from core.session.session import Prepared
    from core.training.distributed import Group

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
    """Train, show, and give the exit code.

    Args:
        run: a run to go on with; None begins a new one.
        received: takes up the signals that come, also those that come too late to stop the run.

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
        from core.training.distributed import process_group

        with process_group() as group:
            if group.rank:
                return _assist(config, run, data_root, group, control)
            try:
                return _lead(config, run, runs_dir, data_root, view, extras, group, control, received)
            finally:
                view.close()


def _lead(
    config: TrainConfig,
    run: Run | None,
    runs_dir: Path,
    data_root: Path | None,
    view: View,
    extras: Extras,
    group: "Group",
    control: RunControl,
    received: list[int],
) -> int:
    """Train in this process, or as the first of several; a run that exists already is claimed."""
    from core.session import session

    state = session.resume_state(run, config) if run else None
    try:
        prepared = _in_group(group, lambda: _prepare(config, run, data_root, view, control))
    except TorchtuiError as error:
        if run is not None:
            session.record_end(run, _end_before_training(error, control))
        if control.stop_requested:
            return 0
        raise
    is_claimed, run = run is not None, run or session.new_run(prepared, runs_dir)
    with signals_stop(control, received):
        output = GuardedOutput(control, received)
        output(view.begin, run)
        finished = session.execute(
            prepared,
            run,
            emit=partial(output, view.show),
            control=control,
            state=state,
            extras=extras,
            is_claimed=is_claimed,
        )
        output(view.close)
        output(_tell_end, finished)
        output(view.finish, run)
    return _exit_code(finished, received)


def _assist(
    config: TrainConfig, run: Run | None, data_root: Path | None, group: "Group", control: RunControl
) -> int:
    """Train as another process than the first, which tells what is wrong with what was asked for."""
    from core.errors import ProcessLost
    from core.session import session
    from core.session.other_ranks import assist

    try:
        state = session.resume_state(run, config) if run else None
        prepared = _in_group(
            group, lambda: session.prepare(config, data_root, QuietView().preparing, run=run)
        )
        with signals_stop(control) as received:
            return _exit_code(assist(prepared, control=control, state=state), received)
    except ProcessLost:
        raise
    except TorchtuiError as error:
        return error.exit_code


def _in_group(group: "Group", prepare: "Callable[[], Prepared]") -> "Prepared":
    """What one process prepares, on the device that is dealt to it."""
    prepared = group.local_first(prepare)
    return replace(prepared, group=group, device=group.device(prepared.device))


def _tell_end(finished: RunFinished) -> None:
    """What went wrong, if anything did."""
    for line in finished.traceback.splitlines():
        print(clean(line), file=sys.stderr)
    if finished.error:
        print(f"error: {clean(finished.error)}", file=sys.stderr)


def _prepare(
    config: TrainConfig, run: Run | None, data_root: Path | None, view: View, control: RunControl
) -> "Prepared":
    """Prepare, unless another process asks to stop."""
    from core.session import session

    def tell(what: str, done: int, total: int) -> None:
        if control.stop_requested:
            raise RunError("stopped before the training began")
        view.preparing(what, done, total)

    return session.prepare(config, data_root, tell, run=run)


def _end_before_training(error: TorchtuiError, control: RunControl) -> RunFinished:
    if control.stop_requested:
        return RunFinished(status="stopped")
    return RunFinished(status="failed", error=str(error))


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
