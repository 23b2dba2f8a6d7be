"""The background process that works on a study and outlives the app: how to start and stop it.

From start to exit it holds a lock on a file in the study's folder, which contains its process id.
"""

import os
import re
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from core.errors import RunError
from core.files.lock import FileLock, LockState, holder_of, lock_state
from core.files.reading import open_plain, read_tail
from core.safe_path import TUI_COMMAND
from core.tuning.study.folder import StudyFolder

if TYPE_CHECKING:
    from core.tuning.executors.where import Where
    from core.tuning.study.study import TuningStudy

__all__ = ["console_file", "is_worked_on", "last_words", "launch", "stop"]

LOCK = "background.lock"
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
HOLDER = re.compile(r"process (\d{1,9}) on (.+)\nstarted (\d{1,12}\.\d\d)")


def console_file(folder: StudyFolder) -> Path:
    """Return the file with the output of the background process."""
    return folder.path / "console.log"


def launch(
    folder: StudyFolder,
    where: "Where",
    data_root: Path | None,
    *,
    seconds: float | None = None,
    trials: int | None = None,
    storage_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start or resume a study in a process in its own session.

    Args:
        where: its trials are trained.
        seconds: after which it stops; None for no limit.
        trials: new total number of trials; None keeps it.
        storage_url: where the study is kept, without a password; None for its folder.
        environment: of that process; None for that of this one.

    Raises:
        RunError: the folder cannot be written, or such a process works on the study already.
    """
    command = [*TUI_COMMAND, "tune", "--no-ui", "--json", "--executor", where.executor]
    command += ["--resume", str(folder.path)]
    given = {
        "--jobs": where.jobs,
        "--trial-memory": where.trial_memory,
        "--ray-address": where.ray_address,
        "--gpus-per-trial": where.gpus_per_trial or None,
        "--gpus": where.gpus,
        "--processes": where.processes if where.processes > 1 else None,
        "--timeout": None if seconds is None else f"{seconds:f}",
        "--trials": trials,
        "--storage": storage_url,
        "--data-root": data_root,
    }
    command += [text for flag, value in given.items() if value is not None for text in (flag, str(value))]
    try:
        with (
            FileLock(open_plain(folder.path / LOCK, os.O_RDWR | os.O_CREAT)) as lock,
            os.fdopen(open_plain(console_file(folder), APPEND), "ab") as console,
        ):
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=(lock.handle,),  # the new process now holds the lock
                env=environment,
            )
            _name_holder(lock, process.pid)
    except BlockingIOError:
        raise RunError(f"a background process is already working on {folder.name}") from None
    except OSError as error:
        raise RunError(f"cannot start a background process for {folder.name}: {error.strerror}") from error
    return process


def stop(study: "TuningStudy") -> None:
    """Ask every process that works on a study, on any machine, to save its trials and stop."""
    study.stop()
    process = _holder(study.folder.path / LOCK)
    if process is not None:  # a process that is still starting sees only this
        with suppress(psutil.Error):
            process.terminate()


def _name_holder(lock: FileLock, number: int) -> None:
    """Write into the lock's file which process holds it, and since when that runs."""
    lock.name_holder(number)
    with suppress(psutil.Error):  # it has already exited
        text = f"started {psutil.Process(number).create_time():.2f}\n"
        os.pwrite(lock.handle, text.encode(), os.fstat(lock.handle).st_size)


def _holder(path: Path) -> psutil.Process | None:
    """Return the process of ours that holds a lock on this machine; None for any other one that its file may name.

    Anyone who can write to the file can name any process in it: the named one must have the recorded start time
    and must have this very file open.
    """
    found = HOLDER.fullmatch(holder_of(path)) if lock_state(path) is LockState.HELD else None
    if found is None or found[2] != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(found[1]))
        same_start = abs(process.create_time() - float(found[3])) < 1
        files = process.open_files()
    except psutil.Error:
        return None
    return process if same_start and any(_is_same(file.path, path) for file in files) else None


def _is_same(name: str, path: Path) -> bool:
    try:
        return os.path.samefile(name, path)
    except OSError:
        return False


def is_worked_on(folder: StudyFolder) -> bool:
    """Return whether any process on this disk works on a study now; False if it has no locks."""
    try:
        present = sorted(folder.processes_dir.iterdir())
    except OSError:
        present = []
    return any(lock_state(path) is LockState.HELD for path in (folder.path / LOCK, *present))


def last_words(folder: StudyFolder) -> str:
    """Return the last line that the background process printed and that is not a result, or ""."""
    lines = read_tail(console_file(folder)).strip().splitlines()
    return lines[-1] if lines and not lines[-1].startswith("{") else ""
