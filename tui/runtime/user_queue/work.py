"""The process that starts what waits: one for each user and machine, there while something waits or runs.

It outlives the terminal and the session that started it. When it is killed, what runs goes on, and what waits stays.
"""

import os
import signal
import subprocess
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import RunError
from core.files.console import kept_bounded
from core.files.lock import FileLock
from core.files.reading import open_plain
from core.gpus.process import GIVEN, given_environment
from core.gpus.table import GpuState
from core.observers.settings import Extras
from core.runs.agents.guard import GRANT
from core.runs.folder import Run
from core.runs.lock import HANDED_OVER, is_held
from core.runs.origin.announcing import ANNOUNCED
from core.safe_path import TUI_COMMAND
from core.user_code.trust import AGREED
from tui.runtime.held_runs import HeldRun
from tui.runtime.user_queue.entries import Entry, Lineup, replaced
from tui.runtime.user_queue.places import CPU, Start, gpus_here, starts_of
from tui.runtime.user_queue.store import (
    announced_file,
    change_lineup,
    console_of,
    forget_files,
    hold_entry,
    hold_work,
    queue_folder,
    read_lineup,
)
from tui.runtime.user_queue.unseen import (
    end_of,
    is_complete,
    lives,
    with_those_that_run,
    with_those_that_train,
)

__all__ = ["KEPT", "start_working", "work"]

POLL_SECONDS = 0.5
LOOK_SECONDS = 5.0
"""How often GPUs are looked at while something waits for one."""
STOPPED = (130, 143, -signal.SIGTERM, -signal.SIGINT)
WORK_LOCK = "TUI_QUEUE_LOCK"
"""Names, to the process that starts what waits, the open lock of that work."""
KEPT = ("TUI_RUNS", "TUI_DATA", GRANT, *Extras.variables())
"""Variables of whoever adds, which its command depends on: also the observers, and the bounds of an agent."""
OF_ONE_RUN = (GIVEN, HANDED_OVER, ANNOUNCED, AGREED, *KEPT)
"""Variables that the one who adds may have, and that are not meant for others."""
APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def start_working() -> None:
    """Start the process that starts what waits, unless there is one.

    Raises:
        RunError: it cannot be started.
    """
    folder = queue_folder()
    lock = hold_work()
    if lock is None:
        return
    environment = {name: value for name, value in os.environ.items() if name not in OF_ONE_RUN}
    try:
        with lock, os.fdopen(open_plain(folder / "work.log", APPEND), "ab") as console:
            process = subprocess.Popen(
                [*TUI_COMMAND, "queue", "work"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                pass_fds=(lock.handle,),  # it holds the lock from its first moment on
                env={**environment, WORK_LOCK: str(lock.handle)},
            )
            lock.name_holder(process.pid)
    except OSError as error:
        raise RunError(f"cannot start the process of the queue: {error.strerror or error}") from error


def work() -> bool:
    """Start what waits until nothing is left; False at once where another process does.

    Raises:
        RunError: the queue cannot be read or written.
    """
    given = os.environ.pop(WORK_LOCK, "")
    lock = hold_work(int(given) if given.isdecimal() else None)
    if lock is None:
        return False
    os.set_inheritable(lock.handle, False)
    lock.name_holder(os.getpid())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    working = _Working(lock)
    change_lineup(with_those_that_run)
    with kept_bounded(queue_folder() / "work.log"):
        while _goes_on(working):
            time.sleep(POLL_SECONDS)
    return True


def _goes_on(working: "_Working") -> bool:
    """Work a step; a disk that is full for a while ends nothing, since what runs would end unseen.

    Raises:
        RunError: the queue is damaged.
    """
    try:
        return working.step()
    except RunError as error:
        read_lineup()
        print(error, flush=True)
        time.sleep(LOOK_SECONDS)
        working.has_missed = True
        return True


@dataclass
class _Working:
    """State of the process that works on the queue."""

    lock: FileLock
    children: "dict[int, subprocess.Popen[bytes]]" = field(default_factory=dict)
    gpus: tuple[GpuState, ...] = ()
    looked_at: float = -LOOK_SECONDS
    held: dict[int, HeldRun] = field(default_factory=dict)
    has_missed: bool = False
    """Whether something may have started without having been noted."""

    def step(self) -> bool:
        """Note what has ended, and start what can start; False when there is nothing left to do."""
        if self.has_missed:
            change_lineup(with_those_that_run)
            self.has_missed = False
        before = read_lineup()
        ended = [entry for entry in before.of("running") if not self._lives(entry)]
        for entry in ended:
            change_lineup(lambda lineup, entry=entry: replaced(lineup, self._end_of(entry)))  # type: ignore[misc]  # the type of a lambda's default
            self.children.pop(entry.id, None)
            forget_files(entry.id, console=False)
        self._look(bool(ended), before)
        self._hold_runs(before)
        lineup = change_lineup(self._start)
        if lineup.of("running") or (lineup.of("waiting") and not lineup.paused):
            return True
        return not self._ends()

    def _look(self, at_once: bool, lineup: Lineup) -> None:
        """Look at the GPUs, from time to time."""
        wanted = any(entry.gpus != 0 for entry in lineup.of("waiting"))
        if wanted and (at_once or time.monotonic() - self.looked_at >= LOOK_SECONDS):
            self.gpus, self.looked_at = gpus_here(), time.monotonic()

    def _hold_runs(self, lineup: Lineup) -> None:
        """Hold the runs that wait, so that lists show them as being prepared and nothing else starts them."""
        waiting = {entry.id: entry.run for entry in lineup.of("waiting") if entry.run}
        for number in [number for number in self.held if number not in waiting]:
            self.held.pop(number).close()
        for number, run in waiting.items():
            if number not in self.held or self.held[number].lock is None:
                self.held[number] = HeldRun(Run(Path(run)))

    def _held_by_others(self, lineup: Lineup) -> set[int]:
        """Return the numbers of those that wait although another process has their run."""
        waiting = {entry.id: entry.run for entry in lineup.of("waiting")}
        missed = [number for number, held in self.held.items() if held.lock is None and number in waiting]
        return {number for number in missed if is_held(Run(Path(waiting[number])))}

    def _lives(self, entry: Entry) -> bool:
        child = self.children.get(entry.id)
        return child.poll() is None if child is not None else lives(entry)

    def _end_of(self, entry: Entry) -> Entry:
        """Return how an entry has ended."""
        child = self.children.get(entry.id)
        code = child.returncode if child is not None else None
        ways = {"state": _state(entry, code), "code": code, "ended": time.time()}
        return entry.model_copy(update=ways)

    def _start(self, lineup: Lineup) -> Lineup:
        """Start what can start; the queue is written with each, so that none starts twice."""
        others = self._held_by_others(lineup)
        lineup = with_those_that_train(lineup, others)
        starts, note = starts_of(lineup, self.gpus, others=others)
        for start in starts:
            lineup = replaced(lineup, self._started(start))
            for lock in start.locks:
                lock.close()  # its process has them
        return lineup.model_copy(update={"note": note if lineup.of("waiting") else ""})

    def _started(self, start: Start) -> Entry:
        entry = start.entry
        devices = ", ".join(f"GPU {gpu.index}" for gpu in start.gpus) or CPU
        uuids = tuple(gpu.uuid for gpu in start.gpus)
        entry = entry.model_copy(
            update={"state": "running", "started": time.time(), "devices": devices, "uuids": uuids}
        )
        if is_complete(entry):
            return entry.model_copy(update={"state": "completed", "ended": time.time()})
        try:
            with hold_entry(entry.id) as lock, self.held.pop(entry.id, ExitStack()) as run:
                handles = [lock.handle, *(one.handle for one in start.locks)]
                child = _launch(start, handles, run.lock if isinstance(run, HeldRun) else None, self.gpus)
                lock.name_holder(child.pid)
        except (OSError, RunError) as error:
            with suppress(OSError):
                console_of(entry).write_text(f"cannot start: {error}\n")
            return entry.model_copy(update={"state": "failed", "ended": time.time()})
        self.children[entry.id] = child
        return entry.model_copy(update={"pid": child.pid})

    def _ends(self) -> bool:
        """Free the lock of the work while nobody can add something; False where somebody just has."""
        is_over = False

        def end(lineup: Lineup) -> Lineup:
            nonlocal is_over
            if not lineup.of("running") and (lineup.paused or not lineup.of("waiting")):
                self.lock.close()
                is_over = True
            return lineup

        change_lineup(end)
        return is_over


def _launch(
    start: Start, handles: list[int], run: int | None, gpus: tuple[GpuState, ...]
) -> "subprocess.Popen[bytes]":
    """Start the process of an entry, which holds its locks from its first moment on.

    Args:
        handles: of the locks of the entry and its GPUs. run: the lock of its run, see `HANDED_OVER`.
        gpus: of this machine.
    """
    entry = start.entry
    environment = {**os.environ, **entry.variables}
    if run is not None:
        environment[HANDED_OVER] = str(run)
    if not entry.run:
        environment[ANNOUNCED] = str(announced_file(entry.id))
    if gpus or entry.gpus == 0:  # elsewhere nothing is known of GPUs, and it takes what it finds
        environment |= given_environment(start.gpus)
    with os.fdopen(open_plain(console_of(entry), APPEND), "ab") as console:
        return subprocess.Popen(
            [*TUI_COMMAND, *entry.words],
            cwd=Path(entry.folder),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            pass_fds=[*handles, *([] if run is None else [run])],
            env=environment,
        )


def _state(entry: Entry, code: int | None) -> str:
    """Return how an entry ended, by its exit code, or by what its run says where nobody has seen that."""
    if code is None:
        return end_of(entry)
    return "completed" if code == 0 else "stopped" if code in STOPPED else "failed"
