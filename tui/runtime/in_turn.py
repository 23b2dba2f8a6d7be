"""Runs that are resumed one after the other from a terminal, each in a process of its own.

The process that supervises them holds the runs that wait. A run that was deleted is left out; one that fails or is
stopped does not end the rest.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from core.errors import TorchtuiError
from core.runs.folder import Run
from core.runs.lock import is_held
from tui.runtime.held_runs import HeldRun
from tui.runtime.hosts.launching import launch_in_background, launched

__all__ = ["train_in_turn"]

POLL_SECONDS = 0.5


def train_in_turn(runs: Sequence[Run], after: Run | None, data_root: Path | None) -> list[Run]:
    """Train runs one after the other, each in a process of its own, and return those that were started.

    Args:
        after: a run whose end is waited for first.
    """
    held = [HeldRun(run) for run in runs]
    while after is not None and is_held(after):
        time.sleep(POLL_SECONDS)
    started = []
    for run, waiting in zip(runs, held, strict=True):
        try:
            if not os.path.isfile(run.config_file):
                continue
            process = (
                launched(run, data_root, waiting.lock)
                if waiting.lock
                else launch_in_background(run, data_root)
            )
        except TorchtuiError:  # its folder was deleted, or cannot be written
            continue
        finally:
            waiting.close()  # the new process holds it now
        started.append(run)
        process.wait()
    return started
