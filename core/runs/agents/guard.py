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
from core.runs.agents.grants import PROCESS, Grant, read_grant

__all__ = ["GRANT", "environment_of", "guard_this_process"]

GRANT: Final = "TUI_GRANT"
"""Environment variable with the folder of the grant that a process was started with."""
BEAT_SECONDS = 1.0
SAVE_SECONDS = 30.0
"""Time to save before the deadline, or a tenth of the minutes where those are few."""


def environment_of(grant: Grant) -> dict[str, str]:
    """Return the environment of a process that uses a grant."""
    return {**os.environ, GRANT: str(grant.folder.resolve())}


def guard_this_process() -> None:
    """Bind this process to the grant that it was started with; without one, do nothing.

    Raises:
        RunError: the grant cannot be read, is used up, or its session was stopped.
    """
    folder = os.environ.get(GRANT)
    if not folder:
        return
    grant = read_grant(Path(folder))
    if reason := _over(grant):
        raise RunError(f"not started: {reason}")
    path = grant.folder / f"{PROCESS}{os.getpid()}-{secrets.token_hex(2)}"
    with creating(path):
        lock = FileLock(open_plain(path, os.O_RDWR | os.O_CREAT))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, max(grant.deadline - time.time(), 0.001))
    threading.Thread(target=_watch, args=(grant, lock), name="guard", daemon=True).start()


def _over(grant: Grant) -> str:
    """Return why what uses a grant has to end now; empty while it may go on."""
    if grant.session_stopped:
        return "the user has stopped the agents of this folder of runs"
    save = min(SAVE_SECONDS, 6 * grant.minutes)
    return f"its {grant.minutes:g} minutes are over" if time.time() >= grant.deadline - save else ""


def _watch(grant: Grant, lock: FileLock) -> None:
    asked = False
    while (now := time.time()) < grant.deadline:
        with suppress(OSError):
            os.utime(lock.handle)
        if not asked and (reason := _over(grant)):
            asked = True
            with suppress(OSError, ValueError):
                print(f"stopped: {reason}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(min(BEAT_SECONDS, max(grant.deadline - now, 0.001)))
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
