"""SIGHUP ends nothing that has no screens: not the first, not the second, and not one after the end."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tui.app.hangup import ignore_late_hangup, survive_hangup
from tui.runtime.signals import ignore_hangup, signals_stop

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


class Stops:
    def stop(self) -> None: ...


class App:
    """Notes what it is asked for when its terminal is gone, while further signals come."""

    def __init__(self) -> None:
        self.acts: list[str] = []

    has_terminal_title = True

    def detach(self) -> str:
        return self.act("detach")

    def stop_training(self) -> str:
        return self.act("stop")

    def act(self, name: str) -> str:
        self.acts.append(name)
        for number in HANDLED:
            os.kill(os.getpid(), number)
        return f"words on {name}"

    def keep_printed(self, *, to_the_end: bool) -> None:
        self.acts.append("keep")

    # what it asks of the capture
    def leave_screen(self, codes: str) -> None:
        self.acts.append("leave" if codes else "")

    def tell(self, text: str) -> None:
        self.acts.append(text)


@pytest.mark.parametrize(
    ("first", "act"), [(signal.SIGHUP, "detach"), (signal.SIGTERM, "stop"), (signal.SIGUSR1, "stop")]
)
def test_the_first_signal_counts_and_no_later_one(
    first: signal.Signals, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, codes = App(), list[int]()
    monkeypatch.setattr(os, "_exit", codes.append)
    survive_hangup(app, app)  # type: ignore[arg-type]  # stands for an app and its capture
    os.kill(os.getpid(), first)
    assert (app.acts, codes) == (["leave", act, "keep", f"words on {act}"], [128 + first])


def ending_in_a_fork(number: signal.Signals) -> int:
    """How a forked process ends that gets a signal; 0 if it goes on."""
    process = os.fork()
    if not process:
        os.kill(os.getpid(), number)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.slow
def test_a_worker_that_user_code_forked_ends_as_any_process() -> None:
    app = App()
    survive_hangup(app, app)  # type: ignore[arg-type]  # as above
    assert [ending_in_a_fork(number) for number in HANDLED] == [-number for number in HANDLED]
    with signals_stop(Stops()):
        assert ending_in_a_fork(signal.SIGTERM) == -signal.SIGTERM
        assert ending_in_a_fork(signal.SIGINT) == 0, "the first process decides about Ctrl-C"


def test_a_hangup_after_the_app_was_left_changes_nothing() -> None:
    ignore_late_hangup()
    os.kill(os.getpid(), signal.SIGHUP)
