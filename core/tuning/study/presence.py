"""The processes that work on a study: a trial whose process is gone is run again by another."""

import os
import secrets
import time
from collections.abc import Callable

import optuna

from core.files.atomic import creating
from core.files.lock import FileLock, LockState, lock_state
from core.files.reading import open_plain
from core.tuning.study.folder import StudyFolder

__all__ = ["Presence"]

BEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0
BEAT = "beat "


class Presence:
    """Shows that this process is alive, and detects whether others are.

    On a shared disk a locked file shows it at once, since the operating system frees the lock however a process
    ends. For machines that share only the storage, and for disks without locks, there is a counter in the storage:
    its process is gone when the counter has stood still for a minute by our own clock.

    Raises:
        RunError: the folder cannot be written.
    """

    def __init__(
        self, folder: StudyFolder, study: optuna.Study, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = secrets.token_hex(6)
        self._folder, self._study, self._clock = folder, study, clock
        path = folder.processes_dir / self.name
        with creating(path):
            self._lock = FileLock(open_plain(path, os.O_RDWR | os.O_CREAT))
        self._beats = 0
        self._beaten_at = -BEAT_SECONDS
        self._seen: dict[str, tuple[int, float]] = {}
        self.beat()

    def beat(self) -> None:
        """Show that this process lives; to be called often, and cheap."""
        now = self._clock()
        if now - self._beaten_at >= BEAT_SECONDS:
            self._beats, self._beaten_at = self._beats + 1, now
            self._study.set_user_attr(BEAT + self.name, self._beats)

    def is_gone(self, name: str) -> bool:
        """Return whether the process of this name has ended."""
        if name == self.name:
            return False
        match lock_state(self._folder.processes_dir / name):
            case LockState.HELD:
                return False
            case LockState.FREE:
                return True
        return self._is_silent(name)

    def missing_lock_warning(self) -> str:
        """Return the warning for a study whose file system has no locks, else an empty string."""
        if self._lock.supported:
            return ""
        return (
            "the file system of the study has no locks: a trial whose process was killed is rerun only after "
            f"{SILENT_SECONDS:g} seconds; other processes show the study as stopped, and cannot pause or stop it"
        )

    def close(self) -> None:
        """Leave the study; the file stays and says, unlocked, that this process has gone."""
        self._lock.close()

    def _is_silent(self, name: str) -> bool:
        beats, now = self._study.user_attrs.get(BEAT + name, 0), self._clock()
        seen, since = self._seen.setdefault(name, (beats, now))
        if seen != beats:
            self._seen[name] = (beats, now)
        return seen == beats and now - since > SILENT_SECONDS
