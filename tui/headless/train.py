"""Training without screens."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.dataset import no_progress
from core.errors import ProcessLost, TorchtuiError
from core.events import RunFinished
from core.observers.settings import Extras, ensure_possible
from core.processes.endings import end_with_launcher
from core.runs.folder import Run
from core.runs.jobs.earlier_start import await_earlier_start
from core.runs.origin.launch import note_run_of_this_launch
from core.runs.requests import claimed
from core.session.preload import load_backend
from core.status import has_failed
from core.torchrun import is_first, restarts_left
from tui.headless.train_views import View
from tui.runtime.console import bounded_output
from tui.runtime.signals import GuardedOutput, ignore_hangup, signals_stop
from tui.terminal.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.data.dataset import Progress
    from core.session.lifecycle import StartedRun
    from core.session.session import Prepared

__all__ = ["train"]


def train(
    config: TrainConfig,
    run: Run | None,
    *,
    runs_dir: Path,
    data_root: Path | None,
    view: View,
    received: list[int] | None = None,
    name: str = "",
    together: str = "",
) -> int:
    """Train, show, and return the exit code.

    Args:
        run: the run to resume; None starts a new one.
        name: what the user calls a new run.
        together: the start of several runs that a new one belongs to.
        received: collects the signals received, including those too late to stop the run.

    Raises:
        TorchtuiError: the configuration does not fit; nothing was written.
    """
    end_with_launcher()
    received = [] if received is None else received
    extras = Extras.from_environment()
    ensure_possible(extras)
    control = RunControl()
    # Both before torch is imported, which takes seconds.
    console = run.console_file if run else None
    if run is not None and is_first():
        await_earlier_start(run, print)
    with ignore_hangup(), claimed(run if is_first() else None, control), bounded_output(console):
        load_backend()
        from core.session import session
        from core.session.lifecycle import start_or_resume
        from core.session.other_ranks import prepare_on_all_ranks
        from core.training.distributed import process_group

        with process_group() as group:
            prepare = partial(
                prepare_on_all_ranks, group, partial(session.prepare, config, data_root, run=run, ranks=group)
            )
            if group.rank:
                return _assist(config, run, prepare, control)
            try:
                started = start_or_resume(
                    config,
                    run,
                    runs_dir,
                    prepare=prepare,
                    on_progress=view.preparing,
                    control=control,
                    name=name,
                    together=together,
                )
                return _lead(started, view, extras, control, received) if started else 0
            except ProcessLost as lost:
                if restarts_left() > 0:  # whoever started the processes reports it
                    return lost.exit_code
                raise
            finally:
                view.close()


def _lead(started: "StartedRun", view: View, extras: Extras, control: RunControl, received: list[int]) -> int:
    """Train in this process, or as the first of several."""
    note_run_of_this_launch(started.run)
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
    """Train as another process than the first, which reports configuration errors."""
    from core.session import session
    from core.session.other_ranks import assist

    try:
        state = session.resume_state(run, config) if run else None
        prepared = prepare(no_progress)
        with signals_stop(control) as received:
            return _exit_code(assist(prepared, control=control, state=state), received)
    except ProcessLost as lost:
        if restarts_left() > 0:
            return lost.exit_code
        raise
    except TorchtuiError as error:
        return error.exit_code


def _print_error(finished: RunFinished) -> None:
    """Print the error, if there was one."""
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
