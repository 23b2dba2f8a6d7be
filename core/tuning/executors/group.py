"""A trial that several processes of this machine train together, for the worker that was given it.

The first of them speaks with the worker as a worker does with its study: it takes the task, reports epochs, waits for
answers, and hears requests.
"""

import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from core.control import RunControl
from core.errors import ProcessLost
from core.processes.launcher import Launcher
from core.tuning.executors.protocol import Ended, OnEpoch, Outcome, TrialTask

__all__ = ["CONNECTION", "train_together"]

CONNECTION = "TUI_WORKER"
"""Names, to the first process, the open connection with its worker."""
POLL_SECONDS = 0.1
CODE = "import sys; sys.path[:] = {path!r}; from core.tuning.executors.member import main; main()"
"""The processes import from where this one does, as those of multiprocessing."""


def train_together(task: TrialTask, report: OnEpoch, control: RunControl, processes: int) -> Outcome:
    """Train a trial in so many processes, which divide its threads, and return its outcome.

    Args:
        report: as for `core.tuning.executors.trial.train_trial`.
        control: requests, which are handed on.
    """
    ours, theirs = Pipe()
    with theirs:
        handle = os.dup(theirs.fileno())
    threads = max(1, task.threads // processes)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), CONNECTION: str(handle)}
    command = [sys.executable, "-P", "-c", CODE.format(path=sys.path)]
    launcher = Launcher(command, processes, environment=environment, handed_over=handle)
    with ThreadPoolExecutor(1) as pool, ours:
        code = pool.submit(launcher.run)
        with suppress(OSError):  # it died already
            ours.send(("task", replace(task, threads=threads)))
        outcome = _follow(ours, code, report, control, waits=task.waits)
        lost = code.exception()
    if outcome is not None and (outcome.state != "failed" or lost is None):
        return outcome
    if isinstance(lost, ProcessLost):
        return replace(outcome or Outcome("failed"), reason=lost.message)
    if lost is not None:
        raise lost
    return Outcome("failed", reason=f"its processes exited with code {code.result()}")


def _follow(
    ours: "Connection[Any, Any]", code: "Future[int]", report: OnEpoch, control: RunControl, *, waits: bool
) -> Outcome | None:
    """Pass on what the first process reports and what is asked of it, until its outcome; None if it has none."""
    stopped = paused = False
    while True:
        with suppress(OSError):  # it died: the next turn finds out
            if control.stop_requested and not stopped:
                stopped = True
                ours.send(("stop", None))
            if control.paused != paused:
                paused = control.paused
                ours.send(("pause" if paused else "resume", None))
        try:
            if not ours.poll(POLL_SECONDS):
                if code.done():
                    return None
                continue
            message = ours.recv()
        except (EOFError, OSError):
            return None
        if isinstance(message, Ended):
            return message.outcome
        go_on = report(message.epoch, message.value)
        with suppress(OSError):
            if waits:
                ours.send(("answer", go_on))
