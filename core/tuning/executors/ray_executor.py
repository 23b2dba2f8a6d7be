"""Trials as tasks on a Ray cluster. Ray schedules them, gives them their GPUs, and runs a lost node's trials again.

The folder of runs must be on a disk that all nodes share: a trial that is rerun on another node resumes from the
checkpoint that it finds there.
"""

import asyncio
import logging
import os
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from core.control import Request, RunControl
from core.counting import counted
from core.errors import DependencyError, RunError
from core.files.reading import read_tail
from core.gpus.process import GIVEN, NO_GPU
from core.remedies import START_CLUSTER
from core.safe_path import safe_import_path
from core.tuning.executors.protocol import Ended, Message, Outcome, Reported, Resources, TrialTask, Waits

__all__ = ["RayExecutor", "free_resources", "import_ray"]

RETRIES = 3
"""How often a trial is run again when its node or process dies."""
POLL_SECONDS = 0.02
ASK_SECONDS = 0.5
"""How often a trial looks whether it shall wait or end."""
LOOK_SECONDS = 2.0
"""How often the cluster is asked what is free."""
CONNECT_SECONDS = 10
PATIENCE_SECONDS = 10.0
"""After which a trial that has not begun is said to wait: Ray starts its processes in a few."""


class RayExecutor:
    """Trains on a Ray cluster, one task a trial.

    Args:
        address: of the cluster; ``auto`` for the one running here, None to start one here if there is none.
        jobs: trials at once; None for as many as the cluster has room for.
        threads: processors of each trial; None for one.
        gpus: GPUs of each trial; parts of one are shared. Without any, trials see none.

    Raises:
        DependencyError: Ray is not installed.
        RunError: the cluster cannot be reached.
    """

    def __init__(
        self,
        address: str | None = None,
        jobs: int | None = None,
        threads: int | None = None,
        gpus: float = 0,
    ) -> None:
        self._ray, self._ours = _connect(address)
        self.threads = threads or 1
        self.slots = jobs or self._room(gpus)
        self._train = self._ray.remote(num_cpus=self.threads, num_gpus=gpus, max_retries=RETRIES)(_train)
        here = self._ray.get_runtime_context().get_node_id()
        pinned = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
        self._mailbox = self._ray.remote(num_cpus=0, scheduling_strategy=pinned)(_Mailbox).remote()
        self._tasks: dict[Any, int] = {}
        self._gpus = gpus
        self._given: dict[int, float] = {}  # when trials that have not begun were given to Ray
        self._told = False
        self._next_look = 0.0
        self._known: Resources | None = None

    @property
    def line(self) -> str:
        """Return one line on the cluster and what a trial takes of it."""
        there = _resources(self._ray)
        return f"Ray: {there}; {counted(self.slots, 'trial')} at once, each with {self._needs}"

    def start(self, task: TrialTask) -> None:
        self._ray.get(self._mailbox.ask.remote("resume"))
        self._tasks[self._train.remote(task, self._mailbox)] = task.trial
        self._given[task.trial] = time.monotonic()

    def wait(self, seconds: float) -> list[Message]:
        deadline = time.monotonic() + seconds
        while True:
            ended = self._ended()
            told = self._ray.get(self._mailbox.drain.remote())
            for begun in [trial for trial in told if isinstance(trial, int)]:
                self._given.pop(begun, None)
            messages: list[Message] = [one for one in told if not isinstance(one, int)]
            messages += [*map(self._end, ended), *self._waits(), *self._changes()]
            if messages or time.monotonic() > deadline:
                return messages

    def answer(self, trial: int, go_on: bool) -> None:
        self._ray.get(self._mailbox.answer.remote(trial, go_on))

    def ask(self, request: Request) -> None:
        self._ray.get(self._mailbox.ask.remote(request))

    def close(self) -> None:
        for task in self._tasks:
            self._ray.cancel(task, force=True)
        self._ray.kill(self._mailbox)
        if self._ours:
            self._ray.shutdown()

    def _ended(self) -> list[Any]:
        """Tasks that have ended; what they reported is in the mailbox by then."""
        if not self._tasks:
            time.sleep(POLL_SECONDS)
            return []
        ended, _ = self._ray.wait([*self._tasks], num_returns=len(self._tasks), timeout=POLL_SECONDS)
        return list(ended)

    def _end(self, task: Any) -> Ended:
        trial = self._tasks.pop(task)
        self._given.pop(trial, None)
        try:
            outcome = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().partition("\n")[0]
            outcome = Outcome("failed", reason=f"Ray gave up on it: {type(error).__name__}: {reason}")
        return Ended(trial, outcome)

    def _waits(self) -> list[Waits]:
        """Return, once, that trials wait for resources, and for which."""
        late = self._late()
        if not late or self._told:
            self._told = self._told and bool(self._given)
            return []
        self._told = True
        who = f"trial {late[0]} waits" if len(late) == 1 else f"{len(late)} trials wait"
        return [Waits(f"{who} on Ray for {self._needs}: {_resources(self._ray)}")]

    def _late(self) -> list[int]:
        """Return the trials that have not begun though Ray has had time to start them."""
        since = time.monotonic() - PATIENCE_SECONDS
        return [trial for trial, given in self._given.items() if given < since]

    def _changes(self) -> list[Resources]:
        """Return what is free, and who waits for it, now and then if that has changed."""
        if time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + LOOK_SECONDS
        known, self._known = self._known, Resources(_resources(self._ray), self._needs, (*self._late(),))
        return [self._known] if self._known != known else []

    @property
    def _needs(self) -> str:
        gpus = f" and {self._gpus:g} GPU{'s' * (self._gpus > 1)}" if self._gpus else ""
        return f"{counted(self.threads, 'CPU')}{gpus}"

    def _room(self, gpus: float) -> int:
        """Trials for which the cluster has room at once."""
        there = self._ray.cluster_resources()
        room = there.get("CPU", 1) / self.threads
        if gpus:
            room = min(room, there.get("GPU", 0) / gpus)
        return max(1, int(room))


def import_ray() -> Any:
    """Ray itself.

    Raises:
        DependencyError: it is not installed.
    """
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise DependencyError(
            "executor ray: Ray is not installed", "Install it with: pip install 'torchtui[ray]'"
        ) from None
    return ray


def free_resources(address: str) -> str:
    """Return how much of a cluster is free, after connecting to it; the connection is closed again.

    Raises:
        DependencyError, RunError: as `RayExecutor` does.
    """
    ray, ours = _connect(address)
    try:
        return _resources(ray)
    finally:
        if ours:
            ray.shutdown()


def _resources(ray: Any) -> str:
    """Return the free processors and GPUs of the cluster that Ray is connected to."""
    there, free = ray.cluster_resources(), ray.available_resources()
    parts = [
        f"{free.get(kind, 0):g} of {counted(int(there.get(kind, 0)), kind)}"
        for kind in ("CPU", "GPU")
        if there.get(kind) or kind == "GPU"
    ]
    return f"{' and '.join(parts)} free"


def _connect(address: str | None) -> tuple[Any, bool]:
    """Ray, connected; whether that was done here."""
    ray = import_ray()
    if ray.is_initialized():
        return ray, False
    try:
        address = _reachable(address)
        job = ray.job_config.JobConfig()
        job._client_job = True  # private: else its workers import from the current folder before all others
        with safe_import_path():
            ray.init(address=address, job_config=job, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise RunError(f"cannot reach a Ray cluster: {reason}", (START_CLUSTER,)) from None
    return ray, True


def _reachable(address: str | None) -> str | None:
    """Return the address to connect to.

    Without one Ray connects to the cluster that was started here last. If that was killed, Ray waits for it for many
    minutes: a cluster is started here then.

    Raises:
        OSError: nobody listens at the address that was asked for.
    """
    named = address or os.environ.get("RAY_ADDRESS", "")
    if named and named != "auto":
        _knock(named)
        return address
    try:
        _knock(_started_last())
    except OSError:
        if named:
            raise
        return "local"
    return address


def _started_last() -> str:
    """Return the address of the cluster that was started on this machine last; empty if Ray knows none."""
    folder = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    return read_tail(folder / "ray" / "ray_current_cluster").strip()


def _knock(address: str) -> None:
    """Raise OSError when nobody listens at ``host:port``; Ray itself tries for many minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()


class _Mailbox:
    """An actor on the study's own node: trials leave messages and wait for answers, the study fetches and answers."""

    def __init__(self) -> None:
        self.messages: list[Message | int] = []
        self.answers: dict[int, asyncio.Future[bool]] = {}
        self.asked: Request = "resume"

    async def report(self, message: Reported, waits: bool) -> bool:
        """Leave a message; the study's answer if the trial waits for one, else True."""
        self.messages.append(message)
        if not waits:
            return True
        self.answers[message.trial] = asyncio.get_running_loop().create_future()
        return await self.answers[message.trial]

    async def begin(self, trial: int) -> None:
        """Note that a trial has what it needs."""
        self.messages.append(trial)

    async def drain(self) -> list[Message | int]:
        """Return the messages since the last call, and the trials that have begun."""
        messages, self.messages = self.messages, []
        return messages

    async def answer(self, trial: int, go_on: bool) -> None:
        """Answer a trial that waits."""
        waiting = self.answers.pop(trial, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(go_on)

    async def ask(self, request: Request) -> None:
        """Send a request to all trials, also to those that start later."""
        self.asked = request

    async def asked_for(self) -> Request:
        """Return the request to the trials."""
        return self.asked


def _train(task: TrialTask, mailbox: Any) -> Outcome:
    """The task, on whatever node Ray has chosen."""
    import ray

    from core.tuning.executors.trial import run_trial

    ray.get(mailbox.begin.remote(task.trial))
    os.environ[GIVEN] = NO_GPU  # Ray has chosen; one whose task has none sees none
    control, ended = RunControl(), threading.Event()

    def report(epoch: int, value: float | None) -> bool:
        message = Reported(task.trial, epoch, value)
        return bool(ray.get(mailbox.report.remote(message, task.waits)))

    def obey() -> None:
        while not ended.wait(ASK_SECONDS):
            control.obey(ray.get(mailbox.asked_for.remote()))

    thread = threading.Thread(target=obey, daemon=True)
    thread.start()
    try:
        return run_trial(task, report, control)
    finally:
        ended.set()
        thread.join()
