"""Processes that train a run and outlive this one."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import RunError, RunLocked, TorchtuiError
from core.files.reading import open_plain
from core.runs.code import agreed_code
from core.runs.folder import Run
from core.runs.lock import HANDED_OVER, hold
from core.safe_path import TUI_COMMAND
from core.user_code.trust import AGREED

__all__ = ["agreed_digests", "launch_in_background", "launched"]


def launch_in_background(
    run: Run,
    data_root: Path | None,
    environment: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    """Train an existing run, from its last checkpoint or from the start, in a process in its own session.

    It survives this process and its terminal; what it prints goes to the run's console file.

    Args:
        environment: of that process; None for that of this one.
        more: options of its command.

    Raises:
        RunError: the run's folder cannot be written.
    """
    try:
        with hold(run) as lock:  # the new process holds it before this one lets go
            return launched(run, data_root, lock, environment, more)
    except RunLocked:  # by a step in this process that lasts until the process exits
        return launched(run, data_root, None, environment, more)


def launched(
    run: Run,
    data_root: Path | None,
    lock: int | None = None,
    given: Mapping[str, str] | None = None,
    more: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    """Train as `launch_in_background` does, with a lock that this process holds.

    Args:
        lock: the open lock of the run, which the new process takes over.
        given: environment of that process; None for that of this one.
        more: options of its command.
    """
    command = [*TUI_COMMAND, "train", "--no-ui", "--resume", str(run.path.resolve()), *more]
    command += ["--data-root", str(data_root)] if data_root is not None else []
    environment = {**(os.environ if given is None else given), AGREED: " ".join(agreed_digests(run))}
    if lock is not None:
        environment[HANDED_OVER] = str(lock)
    try:
        with os.fdopen(open_plain(run.console_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as console:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
                env=environment,
            )
    except OSError as error:
        raise RunError(f"cannot start a background process for {run.id}: {error}") from error


def agreed_digests(run: Run) -> tuple[str, ...]:
    """Return the programs of a run that may run now: a new process compares what it finds with them."""
    try:
        return agreed_code(run.config(), run)
    except TorchtuiError:  # the new process says what is wrong with its files
        return ()
