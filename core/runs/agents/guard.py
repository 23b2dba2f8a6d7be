"""The bounds of a process that an agent has started: it carries its deadline itself, whatever becomes of the server.

The environment names the grant. The process reads it before anything else, and passes it on to what it starts. Shortly
before the deadline, or when the user stops the session, it gets SIGTERM from itself: training saves a checkpoint and
stops. At the deadline it is killed with its children, by a timer of the system even where Python is not running.
"""

import os
import secrets
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.errors import RunError
from core.files.atomic import creating
from core.files.lock import FileLock
from core.files.reading import open_plain
from core.runs.agents.grants import PROCESS, Grant, no_longer_waits, read_grant

__all__ = ["GRANT", "WAITED", "environment_of", "guard_this_process", "variables_of_waiting"]

GRANT: Final = "TUI_GRANT"
"""Environment variable with the folder of the grant that a process was started with."""
WAITED: Final = "TUI_GRANT_WAITED"
"""Environment variable with the run that waited until this process started."""
BEAT_SECONDS = 1.0
SAVE_SECONDS, SAVE_SHARE = 30.0, 0.1
"""Time to save before the deadline: at most so many seconds, and this part of the minutes."""


def environment_of(grant: Grant) -> dict[str, str]:
    """Return the environment of a process that uses a grant."""
    return {**os.environ, GRANT: str(grant.folder.resolve())}


def variables_of_waiting(grant: Grant, name: str) -> dict[str, str]:
    """Return the variables of a process that will use a grant once it is its turn, and note that its run waits.

    Raises:
        RunError: that cannot be written.
    """
    grant.waits(name)
    return {GRANT: str(grant.folder.resolve()), WAITED: name}


def guard_this_process() -> None:
    """Bind this process to the grant that it was started with; without one, do nothing.

    Raises:
        RunError: the grant cannot be read, is used up, or its session was stopped.
    """
    folder = os.environ.get(GRANT)
    if not folder:
        return
    grant = read_grant(Path(folder))
    seconds = grant.deadline - time.time()
    if reason := _over(grant, seconds):
        raise RunError(f"not started: {reason}")
    path = grant.folder / f"{PROCESS}{os.getpid()}-{secrets.token_hex(2)}"
    with creating(path):
        lock = FileLock(open_plain(path, os.O_RDWR | os.O_CREAT))
    if name := os.environ.pop(WAITED, ""):
        no_longer_waits(grant.folder, name)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    # A clock that stands still while the machine sleeps: what sleeps with it has time left to save.
    end = time.monotonic() + seconds
    threading.Thread(target=_watch, args=(grant, end, lock), name="guard", daemon=True).start()


def _over(grant: Grant, seconds: float) -> str:
    """Return why what uses a grant, with so many seconds left, has to end now; empty while it may go on."""
    if grant.session_stopped:
        return "the user has stopped the agents of this folder of runs"
    save = min(SAVE_SECONDS, SAVE_SHARE * 60 * grant.minutes)
    return f"its {grant.minutes:g} minutes are over" if seconds <= save else ""


def _watch(grant: Grant, end: float, lock: FileLock) -> None:
    asked = False
    while (seconds := end - time.monotonic()) > 0:
        with suppress(OSError):
            os.utime(lock.handle)
        if not asked and (reason := _over(grant, seconds)):
            asked = True
            with suppress(OSError, ValueError):
                print(f"stopped: {reason}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(min(BEAT_SECONDS, seconds))
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
