"""Starts the processes of a run on this machine, and all of them again after one was lost.

Each finds its place in the variables of ``torchrun``, which starts those on several machines. The agent of ``torchrun``
starts processes again after any error, the user's own among them, and ends with a traceback when it is asked to stop;
this one tells them apart, needs no PyTorch itself, and hands on the exit code of the run.
"""

import errno
import os
import secrets
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.counting import counted
from core.errors import ProcessLost
from core.machine import available_cores
from core.processes.endings import LAUNCHER, REASON, advice_for, ending_of
from core.remedies import RESUME

__all__ = ["Launcher"]

POLL_SECONDS = 0.05
GRACE_SECONDS = 10.0
"""Time that the others get to end by themselves after one has failed; they may wait for it for ever."""
STOPPED = 128
"""Exit codes from here on are those of a process that was asked to stop, and has saved."""
MAX_REASON = 4096
HERE = "127.0.0.1"
PORTS = range(20_000, 32_768)
"""Linux gives connections ports above these, other systems higher ones still."""


@dataclass
class Launcher:
    """Some processes that train one run together.

    Args:
        command: what each of them runs.
        processes: how many there are.
        restarts: how often all are started again after one was lost.
        environment: of each, beside what tells it its place.
        handed_over: an open file that the first of the first attempt takes over; -1 for none.
        report: takes a sentence when they are started again.

    Attributes:
        received: signals that came to this process, and were handed on.
    """

    command: Sequence[str]
    processes: int
    restarts: int = 0
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    handed_over: int = -1
    report: Callable[[str], None] = print

    def __post_init__(self) -> None:
        self.received: list[int] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self._id = uuid.uuid4().hex
        self._lost_by = 0
        self._first_was_ended = False
        self._reasons = -1

    def run(self) -> int:
        """Return the exit code of the run, once all processes have ended.

        Raises:
            ProcessLost: a process was lost, and all restarts are used; or one failed for which the first waited
                until it was ended, as it may in NCCL.
        """
        with tempfile.TemporaryFile() as reasons:
            self._reasons = reasons.fileno()
            return self._run()

    def _run(self) -> int:
        attempt = 0
        while True:
            self._start(attempt)
            lost = self._watch(is_last=attempt == self.restarts)
            reason = str(os.pread(self._reasons, MAX_REASON, 0), "utf-8", "replace")
            if not lost and self._first_was_ended and reason:
                raise ProcessLost(reason.splitlines()[0], (RESUME,))
            if not lost or self.received:
                return self._exit_code()
            if attempt == self.restarts:
                break
            attempt += 1
            self.report(f"{lost}: restart {attempt} of {self.restarts}, from the last checkpoint")
        used = f" after {counted(attempt, 'restart')}" if attempt else ""
        raise ProcessLost(f"{lost}{used}", (advice_for(self._lost_by), RESUME))

    def send(self, number: int) -> None:
        """Hand a signal on to all processes."""
        self.received.append(number)
        for worker in self._workers:
            if worker.poll() is None:
                os.kill(worker.pid, number)

    def _start(self, attempt: int) -> None:
        port = _free_port()
        self._workers = []
        for rank in range(self.processes):
            self._workers.append(
                subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    env=self._environment(rank, attempt, port),
                    pass_fds=(
                        self._reasons,
                        *((self.handed_over,) if self.handed_over >= 0 and not rank else ()),
                    ),
                    process_group=0,  # Ctrl-C reaches this process alone, which hands it on once
                )
            )
        if self.handed_over >= 0:  # held by the first process alone
            os.close(self.handed_over)
            self.handed_over = -1

    def _environment(self, rank: int, attempt: int, port: int) -> dict[str, str]:
        threads = max(1, available_cores() // self.processes)
        return {
            "OMP_NUM_THREADS": str(threads),
            **self.environment,
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(self.processes),
            "LOCAL_WORLD_SIZE": str(self.processes),
            "MASTER_ADDR": HERE,
            "MASTER_PORT": str(port),
            "TORCHELASTIC_RUN_ID": self._id,
            "TORCHELASTIC_RESTART_COUNT": str(attempt),
            "TORCHELASTIC_MAX_RESTARTS": str(self.restarts),
            LAUNCHER: str(os.getpid()),
            REASON: str(self._reasons),
        }

    def _watch(self, *, is_last: bool) -> str:
        """Wait for all processes; return which one was lost, in words, or nothing."""
        ending: float | None = None
        killed: set[int] = set()
        while None in (codes := [worker.poll() for worker in self._workers]):
            if ending is None and any(code is not None and 0 != code < STOPPED for code in codes):
                ending = time.monotonic() + GRACE_SECONDS
            died = any(code is not None and code < 0 for code in codes)
            if ending is not None and ((died and not is_last) or time.monotonic() > ending):
                for rank, worker in enumerate(self._workers):
                    if worker.returncode is None:
                        killed.add(rank)
                        self._first_was_ended |= not rank
                        worker.kill()
            time.sleep(POLL_SECONDS)
        for rank, worker in enumerate(self._workers):
            if worker.returncode < 0 and rank not in killed:
                self._lost_by = -worker.returncode
                return f"the process of rank {rank} {ending_of(worker.returncode)}"
        return ""

    def _exit_code(self) -> int:
        codes = [worker.returncode for worker in self._workers]
        if any(code < 0 for code in codes):
            return STOPPED + self.received[0] if self.received else 1
        return codes[0] or max(codes)


def _free_port() -> int:
    """Return a port on which nobody listens, and which no connection is given before the first process listens."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as listener:
            try:
                listener.bind((HERE, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
