"""A queue without the app: one background process after the other, each of which trains a run.

The process that supervises them holds the runs that wait, so that nothing else starts them and lists show them as
being prepared. A run that was deleted is left out; one that fails or is stopped does not end the queue.
"""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from core.errors import RunError, TorchtuiError
from core.runs.folder import Run
from core.runs.lock import hold, is_held
from core.safe_path import TUI_COMMAND
from core.user_code.trust import AGREED
from tui.runtime.hosts.launching import agreed_digests, launch_in_background, launched

__all__ = ["HeldRun", "launch_queue", "train_in_turn"]

POLL_SECONDS = 0.5


def launch_queue(
    runs: Sequence[Run],
    after: Run | None,
    data_root: Path | None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start the process that trains runs one after the other and outlives this one.

    Args:
        runs: with folders, in order.
        after: a run that another process trains now, whose end is waited for.
        environment: of that process; None for that of this one.

    Raises:
        RunError: it cannot be started.
    """
    command = [*TUI_COMMAND, "queue", *(str(run.path.resolve()) for run in runs)]
    command += ["--after", str(after.path.resolve())] if after is not None else []
    command += ["--data-root", str(data_root)] if data_root is not None else []
    agreed = dict.fromkeys(digest for run in runs for digest in agreed_digests(run))
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**(os.environ if environment is None else environment), AGREED: " ".join(agreed)},
        )
    except OSError as error:
        raise RunError(f"cannot start a background process for the queue: {error}") from error


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


class HeldRun(ExitStack):
    """The lock of a run; none where another process has it, which may have ended when it is its turn."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.lock: int | None = None
        with suppress(TorchtuiError):
            self.lock = self.enter_context(hold(run))
