"""Batches read by worker processes, through torch's DataLoader, or by this process."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import IO, Any

from torch.utils.data import DataLoader

from core.data.stream.options import FeedOptions
from core.data.stream.reader import BatchReader, Failure, Wanted
from core.data.stream.seeds import keeping_generators
from core.data.stream.stacks import users_lines
from core.data.stream.worker import ASK, Began
from core.errors import UserCodeError
from core.processes.endings import ending_of
from core.safe_path import safe_import_path
from core.torch_private import shut_down

__all__ = ["Workers", "never", "read_all", "workers_of"]

POLL_SECONDS = 0.2
"""Time after which a reading process looks whether it is to stop, and whether a worker died."""
ANSWER_SECONDS = 1.0
"""Time that a worker gets to say where it hangs."""
PREFETCH = 2
"""Batches that each worker reads ahead."""


@dataclass
class Workers:
    """How batches are read; `count` may change from one pass to the next, which changes no result.

    Attributes:
        count: number of worker processes; 0 reads in this process.
        fixed: the user set it.
        timeout: seconds that a batch may take.
    """

    count: int = 0
    fixed: bool = False
    timeout: float = 300.0


def workers_of(options: FeedOptions) -> Workers:
    """Return how batches are read, as a data set's options say."""
    fixed = options.workers != "auto"
    return Workers(options.workers if options.workers != "auto" else 0, fixed, options.worker_timeout)


def never() -> bool:
    """Return false: nobody asks to stop."""
    return False


def read_all(
    reader: BatchReader,
    tasks: Iterable[Wanted],
    workers: Workers,
    *,
    pin: bool = False,
    should_stop: Callable[[], bool] = never,
) -> Generator[Any, None, None]:
    """Yield what `reader` makes of each of `tasks`, in their order; ends early once it is to stop.

    Args:
        pin: copy batches into memory that a GPU reads from directly.
        should_stop: polled some times a second while a batch is waited for.

    Raises:
        TorchtuiError: the user's code failed, or a worker died or hangs.
    """
    if workers.count:
        yield from _by_workers(reader, tasks, workers, pin, should_stop)
        return
    for task in tasks:
        if should_stop():
            return
        with keeping_generators():
            batch = reader.read(task)
        yield batch


def _by_workers(
    reader: BatchReader, tasks: Iterable[Wanted], workers: Workers, pin: bool, should_stop: Callable[[], bool]
) -> Iterator[Any]:
    with ExitStack() as open_files:
        stacks: list[IO[bytes]] = [
            open_files.enter_context(tempfile.TemporaryFile()) for _ in range(workers.count)
        ]
        context = _Recording()
        batches: Iterator[Any] | None = None
        finished = False
        try:
            batches = _started(reader, tasks, workers.count, pin, Began(stacks), context)
            watch = _Watch(context.processes, stacks, workers.timeout, reader.name)
            while True:
                try:
                    batch = next(batches)
                except StopIteration:
                    finished = True
                    return
                except RuntimeError as error:
                    watch.check(error)
                    if should_stop():
                        return
                    continue
                if isinstance(batch, Failure):
                    raise batch.error
                yield batch
                watch.came()
        finally:
            if not finished:  # what they read is not wanted: do not wait for it
                for process in context.processes:
                    process.kill()  # one that just starts may still have a handler of this process for SIGTERM
            if batches is not None:
                shut_down(batches)


def _unchanged(batch: Any) -> Any:
    """Return what a worker has read; a batch is joined where it is read."""
    return batch


def _started(
    reader: BatchReader, tasks: Iterable[Wanted], count: int, pin: bool, began: Began, context: "_Recording"
) -> Iterator[Any]:
    """Start the workers, and return what they read.

    PyTorch would let the death of one raise an error anywhere in the main thread, in place of where batches are read.
    """
    with safe_import_path(), keeping_generators(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # PyTorch has an opinion on the number of workers, which was measured or set
        loader: DataLoader[Any] = DataLoader(
            reader,
            batch_size=None,
            sampler=tasks,
            num_workers=count,
            collate_fn=_unchanged,
            pin_memory=pin,
            timeout=POLL_SECONDS,
            worker_init_fn=began,
            multiprocessing_context=context,
            prefetch_factor=PREFETCH,
        )
        if threading.current_thread() is not threading.main_thread():
            return iter(loader)
        before = signal.getsignal(signal.SIGCHLD)
        with _interrupts_after():
            batches = iter(loader)
            signal.signal(signal.SIGCHLD, before if before is not None else signal.SIG_DFL)
        return batches


@contextmanager
def _interrupts_after() -> Iterator[None]:
    """Context manager that handles Ctrl-C at its end; in the main thread alone.

    While a process forks, Python runs callbacks whose exceptions it discards, KeyboardInterrupt among them.
    """
    before, pressed = signal.getsignal(signal.SIGINT), list[tuple[int, FrameType | None]]()
    signal.signal(signal.SIGINT, lambda *given: pressed.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
        if pressed and callable(before):
            before(*pressed[-1])


class _Watch:
    """Finds out what is wrong when no batch comes."""

    def __init__(
        self, processes: list[BaseProcess], stacks: list[IO[bytes]], timeout: float, name: str
    ) -> None:
        self._processes, self._stacks, self._timeout, self._name = processes, stacks, timeout, name
        self._read = 0
        self._since = time.monotonic()

    def came(self) -> None:
        """Note that a batch came, and was used."""
        self._read += 1
        self._since = time.monotonic()

    def check(self, error: RuntimeError) -> None:
        """Return if it is just not there yet.

        Raises:
            UserCodeError: a worker died, or takes longer than it may.
            RuntimeError: the loader's own error, if it is another one.
        """
        for worker, process in enumerate(self._processes):
            if process.exitcode:
                self._fail(worker, f"died: it {ending_of(process.exitcode)}", _advice(process.exitcode))
        if "timed out" not in str(error):
            raise error
        if time.monotonic() - self._since > self._timeout:
            worker = self._read % len(self._processes)
            self._ask(worker)
            self._fail(
                worker,
                f"has not answered for {self._timeout:g} seconds",
                "data.worker_timeout gives it longer; with data.workers=0 it reads in this process",
            )

    def _ask(self, worker: int) -> None:
        """Let a worker write where it is."""
        process, stack = self._processes[worker], self._stacks[worker]
        if process.pid is None or ASK == signal.SIGINT:
            return
        os.kill(process.pid, ASK)
        end = time.monotonic() + ANSWER_SECONDS
        while not os.fstat(stack.fileno()).st_size and time.monotonic() < end:
            process.join(0.02)

    def _fail(self, worker: int, what: str, advice: str) -> None:
        stack = self._stacks[worker]
        stack.seek(0)
        place, trace = users_lines(stack.read().decode(errors="replace"))
        at = f" in {place}" if place else ""
        raise UserCodeError(f"worker {worker + 1} that reads {self._name} {what}{at}", advice, trace)


def _advice(exit_code: int) -> str:
    if exit_code == -signal.SIGBUS:
        return "Shared memory is full: enlarge /dev/shm, give fewer workers, or set data.workers to 0"
    if exit_code == -signal.SIGKILL:
        return "Memory may be full: give fewer workers with data.workers, or smaller batches"
    return "With data.workers=0 it reads in this process, where an error has its own message"


if sys.platform == "linux":
    # A fork has the user's data set as it is, also one that cannot be pickled, and shares its memory.
    _Context: Any = type(multiprocessing.get_context("fork"))
else:
    _Context = type(multiprocessing.get_context("spawn"))


class _Recording(_Context):  # type: ignore[misc]  # which one depends on the system
    """Starts processes as its base does, and remembers them."""

    def __init__(self) -> None:
        self.processes: list[BaseProcess] = []

    def Process(self, *args: Any, **keywords: Any) -> BaseProcess:  # noqa: N802  # the base names it so
        process: BaseProcess = _Context.Process(*args, **keywords)
        self.processes.append(process)
        return process
