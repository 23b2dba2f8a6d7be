"""Signals of a training without screens: how it is asked to stop, and how it outlives what it writes to."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol, TextIO
from weakref import WeakSet

from tui.runtime.streams import result_stream

__all__ = ["GuardedOutput", "Handler", "hand_on_signals", "ignore_hangup", "not_in_forks", "signals_stop"]

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""SIGUSR1 is what Slurm sends as an early warning: ``#SBATCH --signal=USR1@60``."""

Handler = Callable[[int, FrameType | None], None]

_not_in_forks: WeakSet[Handler] = WeakSet()


class Stoppable(Protocol):
    """Something that can be asked to save and stop."""

    def stop(self) -> None:
        """End soon."""


@contextmanager
def ignore_hangup() -> Iterator[None]:
    """Context manager that ignores SIGHUP, and from then on drops output to the terminal.

    After it a process has nothing left to do but end, which no SIGHUP changes either, unless its caller handles them.
    """
    terminal = [stream for stream in {result_stream(), sys.stdout, sys.stderr} if stream.isatty()]

    def drop_output(number: int, frame: FrameType | None) -> None:
        with suppress(OSError, ValueError):  # no descriptor is left, or the stream is closed
            _mute(*terminal)

    before = signal.signal(signal.SIGHUP, drop_output)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if before is signal.SIG_DFL else before)


@contextmanager
def signals_stop(control: Stoppable, received: list[int] | None = None) -> Iterator[list[int]]:
    """Context manager in which the first Ctrl-C, SIGTERM or SIGUSR1 saves and stops, a second Ctrl-C leaves at once.

    Args:
        received: takes up the signals that come; by default a new list.

    Yields:
        The signals that came.
    """
    received = [] if received is None else received

    @not_in_forks
    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        if number in received and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        received.append(number)
        control.stop()

    with _handled(dict.fromkeys(STOPPING, ask_to_stop)):
        yield received


@contextmanager
def hand_on_signals(send: Callable[[int], None]) -> Iterator[None]:
    """Context manager in which signals that stop a training are given to `send`, each time that one comes."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        send(number)

    with _handled(dict.fromkeys(STOPPING, hand_on)):
        yield


def not_in_forks(handler: Handler) -> Handler:
    """Let a handler not be inherited by the workers that user code forks: their pool ends them with SIGTERM.

    A handler that only looked which process it is in would be too late where the worker waits for a lock.
    """
    _not_in_forks.add(handler)
    return handler


def _handle_by_default() -> None:
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
        if signal.getsignal(number) in _not_in_forks:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) in _not_in_forks:  # the first process decides about Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_IGN)


os.register_at_fork(after_in_child=_handle_by_default)


@contextmanager
def _handled(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Handle signals within."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class GuardedOutput:
    """Calls functions that print results to standard output, which may close in the middle of a run.

    When the reader of a pipe is gone, as after ``| head``, the run is asked to save and stop: it counts as SIGPIPE in
    `received`. When the terminal is gone or the disk is full, the run continues silently.
    """

    def __init__(self, control: Stoppable, received: list[int]) -> None:
        self.control, self.received = control, received

    def __call__(self, write: Callable[..., object], *arguments: object) -> None:
        """Call ``write(*arguments)``."""
        try:
            write(*arguments)
        except BrokenPipeError:
            _mute(result_stream())
            self.received.append(signal.SIGPIPE)
            self.control.stop()
        except OSError as error:
            _mute(result_stream(), *([sys.stderr] if error.errno == errno.EIO else []))


def _mute(*streams: TextIO) -> None:
    """Let what is written to some streams from now on, and what they still hold, vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
