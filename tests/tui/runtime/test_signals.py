"""SIGHUP ends nothing that has no screens: not the first, not the second, and not one after the end."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tui.app.hangup import ignore_late_hangup, survive_hangup
from tui.runtime.signals import ignore_hangup

HANDLED = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in HANDLED}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Terminal:
    """Stands for the stream of a terminal."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.handle


def test_each_hangup_silences_the_terminal_and_none_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdout", Terminal(writing))
    with ignore_hangup():
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        os.write(writing, b"dropped")
        os.close(writing)
        os.kill(os.getpid(), signal.SIGHUP)  # with a stream that is closed
    os.kill(os.getpid(), signal.SIGHUP)  # after the end
    assert os.read(reading, 100) == b""
    os.close(reading)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_who_handled_it_before_handles_it_again() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, frame: heard.append(number))
    with ignore_hangup():
        os.kill(os.getpid(), signal.SIGHUP)
    assert heard == []
    os.kill(os.getpid(), signal.SIGHUP)
    assert heard == [signal.SIGHUP]


class App:
    """Notes what it is asked for when its terminal is gone, while further signals come."""

    def __init__(self) -> None:
        self.acts: list[str] = []

    def detach(self) -> None:
        self.acts.append("detach")
        for number in HANDLED:
            os.kill(os.getpid(), number)

    def stop_training(self) -> None:
        self.acts.append("stop")
        for number in HANDLED:
            os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("first", "act"), [(signal.SIGHUP, "detach"), (signal.SIGTERM, "stop"), (signal.SIGUSR1, "stop")]
)
def test_the_first_signal_counts_and_no_later_one(
    first: signal.Signals, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, codes = App(), list[int]()
    monkeypatch.setattr(os, "_exit", codes.append)
    survive_hangup(app)  # type: ignore[arg-type]  # stands for an app
    os.kill(os.getpid(), first)
    assert (app.acts, codes) == ([act], [128 + first])


def test_a_hangup_after_the_app_was_left_changes_nothing() -> None:
    ignore_late_hangup()
    os.kill(os.getpid(), signal.SIGHUP)
