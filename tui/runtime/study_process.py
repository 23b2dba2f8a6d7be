"""The background process that works on a study and survives the app: it is started here, and asked to stop.

It holds a lock on a file in the study's folder from its first moment to its end, and its id stands in that file.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import RunError
from core.files.atomic import open_plain
from core.files.lock import FileLock, LockState, holder_of, lock_state
from core.safe_path import TUI_COMMAND
from core.tuning.study.folder import StudyFolder

if TYPE_CHECKING:
    from core.tuning.search.plan import ExecutorName
    from core.tuning.study.study import TuningStudy

__all__ = ["is_worked_on", "last_words", "launch", "stop"]

LOCK, CONSOLE = "background.lock", "console.log"


def launch(
    folder: StudyFolder,
    jobs: int | None,
    data_root: Path | None,
    trials: int | None = None,
    executor: "ExecutorName" = "local",
) -> "subprocess.Popen[bytes]":
    """Begin or go on with a study in a process of its own session.

    Args:
        jobs: trials at once; None for the executor's own choice.
        trials: a new number of them altogether; None leaves it.

    Raises:
        RunError: the folder cannot be written, or such a process works on the study already.
    """
    command = [*TUI_COMMAND, "tune", "--no-ui", "--json", "--executor", executor]
    command += ["--resume", str(folder.path)]
    command += ["--jobs", str(jobs)] if jobs is not None else []
    command += ["--trials", str(trials)] if trials is not None else []
    command += ["--data-root", str(data_root)] if data_root is not None else []
    try:
        with (
            FileLock(open_plain(folder.path / LOCK, os.O_RDWR | os.O_CREAT)) as lock,
            (folder.path / CONSOLE).open("ab") as console,
        ):
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=(lock.handle,),  # the process has the lock now, and this one leaves it
            )
            lock.name_holder(process.pid)
    except BlockingIOError:
        raise RunError(f"a background process works on {folder.name} already") from None
    except OSError as error:
        raise RunError(f"cannot start a background process for {folder.name}: {error.strerror}") from error
    return process


def stop(study: "TuningStudy") -> None:
    """Ask every process that works on a study, here and elsewhere, to save its trials and end."""
    study.stop()
    path = study.folder.path / LOCK
    holder = holder_of(path) if lock_state(path) is LockState.HELD else ""
    match holder.split():  # a background process that has only begun to start hears this alone
        case ["process", number, "on", host] if host == socket.gethostname() and number.isdecimal():
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGTERM)


def is_worked_on(folder: StudyFolder) -> bool:
    """Return whether any process on this disk works on a study now; False if it has no locks."""
    try:
        present = sorted(folder.processes_dir.iterdir())
    except OSError:
        present = []
    return any(lock_state(path) is LockState.HELD for path in (folder.path / LOCK, *present))


def last_words(folder: StudyFolder) -> str:
    """The last line that the background process printed and that is no result; empty if there is none."""
    try:
        with (folder.path / CONSOLE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines and not lines[-1].startswith("{") else ""
