"""Works on a study in a background process, which survives the app, and asks it to stop.

The process holds a lock on a file in the study's folder from its first moment to its end, and its id stands in it.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import RunError
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
    # -P: a folder named `core` where the user stands must not be taken for ours.
    command = [sys.executable, "-P", "-m", "tui", "tune", "--no-ui", "--json", "--executor", executor]
    command += ["--resume", str(folder.path)]
    command += ["--jobs", str(jobs)] if jobs is not None else []
    command += ["--trials", str(trials)] if trials is not None else []
    command += ["--data-root", str(data_root)] if data_root is not None else []
    try:
        with (folder.path / LOCK).open("a+b") as lock, (folder.path / CONSOLE).open("ab") as console:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=(lock.fileno(),),  # the process has the lock now, and this one leaves it
            )
            lock.truncate(0)
            lock.write(f"process {process.pid} on {socket.gethostname()}\n".encode())
    except BlockingIOError:
        raise RunError(f"a background process works on {folder.name} already") from None
    except OSError as error:
        raise RunError(f"cannot start a background process for {folder.name}: {error.strerror}") from error
    return process


def stop(study: "TuningStudy") -> None:
    """Ask every process that works on a study, here and elsewhere, to save its trials and end."""
    study.stop()
    path = study.folder.path / LOCK
    words = path.read_text().split() if _is_locked(path) else []
    match words:  # a background process that has only begun to start hears this alone
        case ["process", number, "on", host] if host == socket.gethostname() and number.isdecimal():
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGTERM)


def is_worked_on(folder: StudyFolder) -> bool:
    """Whether any process on this disk works on a study now."""
    try:
        present = sorted(folder.processes_dir.iterdir())
    except OSError:
        present = []
    return any(map(_is_locked, [folder.path / LOCK, *present]))


def last_words(folder: StudyFolder) -> str:
    """The last line that the background process printed and that is no result; empty if there is none."""
    try:
        with (folder.path / CONSOLE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines and not lines[-1].startswith("{") else ""


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # what is no plain file has no lock
    finally:
        os.close(handle)
    return False
