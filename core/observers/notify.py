"""Notifications that a run has finished, failed, diverged, stalled or broken a rule: a POST of JSON, or a command."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Sequence
from http.client import HTTPException, InvalidURL
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from core.errors import InputError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunStarted,
    SystemSampled,
)
from core.observers.alerts import Alert, parse_rule
from core.observers.consumer import Emit
from core.runs.folder import Run
from core.runs.labels import title_of

__all__ = ["Notifier", "check_target"]

POST_SECONDS = 8.0
COMMAND_SECONDS = 15.0
URLS = ("http://", "https://")


def check_target(target: str) -> None:
    """Check that a notification can be sent there.

    Raises:
        InputError: it is neither a URL nor a command that is there.
    """
    is_url = target.startswith(URLS)
    try:
        words = shlex.split(target)
        if is_url and (urlsplit(target).port == 0 or not urlsplit(target).hostname):
            raise ValueError("it has no host")
    except ValueError as error:
        given = (
            "the address" if is_url else f"'{target}': {error}"
        )  # an address is a secret, and so are its parts
        raise InputError(f"notify: cannot read {given}", "Give a URL or a command") from None
    if is_url:
        return
    if not words or shutil.which(words[0]) is None:
        raise InputError(
            f"notify: command not found: '{words[0] if words else ''}'", "Give a URL or a command"
        )


class Notifier:
    """Watches one run; a failed notification becomes a notice of the run.

    Args:
        target: a URL, or a command, which is run without a shell and finds the facts in ``TUI_RUN``, ``TUI_EVENT`` ...;
            empty where alerts become messages of the run alone.
        stall_minutes: without any training event, excluding pauses.
        rules: of alerts, see `core.observers.alerts`.
    """

    name = "notification"

    def __init__(
        self, run: Run, target: str, stall_minutes: float, tell: Emit, rules: Sequence[str] = ()
    ) -> None:
        if target:
            check_target(target)
        self._alerts = [Alert(parse_rule(rule)) for rule in rules]
        self._run, self._target, self._tell = run, target, tell
        self._stall_seconds = 60 * stall_minutes
        self._alive_at = time.monotonic()
        self._paused = self._stalled = False
        self._facts: dict[str, Any] = {"epoch": 0, "epochs": 0, "metrics": {}, "evaluation": {}}

    def take(self, event: Event) -> None:
        self._learn(event)
        for alert in self._alerts:
            if message := alert.see(event):
                self._tell(Notice(level="warning", message=message))
                self._notify("alert", message.removeprefix("alert: "))
        if isinstance(event, SystemSampled):
            self.wait()
            return
        self._alive_at, self._stalled = time.monotonic(), False
        self._paused = isinstance(event, RunPaused)
        if isinstance(event, RunFinished):
            self._notify(event.status, event.error)

    def _learn(self, event: Event) -> None:
        """Keep what notifications say beside their event."""
        match event:
            case RunStarted():
                self._facts["epochs"] = event.epochs
            case EpochFinished():
                self._facts.update(epoch=event.epoch, metrics=event.best_metrics)
            case EvaluationFinished():
                self._facts["evaluation"][event.split] = event.metrics

    def wait(self) -> None:
        """Tell of a stall, once each time."""
        if (
            not self._target
            or self._paused
            or self._stalled
            or time.monotonic() - self._alive_at < self._stall_seconds
        ):
            return
        self._stalled = True
        message = f"no step for {self._stall_seconds / 60:g} minutes"
        self._tell(Notice(level="warning", message=message))
        self._notify("stalled", message)

    def _notify(self, what: str, error: str) -> None:
        if not self._target:
            return
        best = ", ".join(f"{name} {value:.4g}" for name, value in self._facts["metrics"].items())
        text = f"{title_of(self._run.path)} {what}" + (f": {error or best}" if error or best else "")
        facts = {
            "v": 1,
            "event": what,
            "run": self._run.id,
            "path": str(self._run.path.resolve()),
            "host": socket.gethostname(),
            "error": error,
            "text": text,
            **self._facts,
        }
        try:
            if self._target.startswith(URLS):
                _post(self._target, facts)
            else:
                _call(self._target, facts)
        except (OSError, ValueError, HTTPException, subprocess.SubprocessError) as problem:
            message = f"the notification '{what}' was not delivered: {_reason(problem)}"
            self._tell(Notice(level="warning", message=message))


def _post(url: str, facts: dict[str, Any]) -> None:
    """POST JSON; ``text`` is what chat services show.

    User and password in the address are sent as basic authentication (RFC 7617), to its own host alone.

    Raises:
        TimeoutError: the answer, which may come in drops, has not come in time.
    """
    address, credentials = _split(url)
    request = urllib.request.Request(
        address, json.dumps(facts).encode(), {"Content-Type": "application/json", "User-Agent": "torchtui"}
    )
    if credentials:
        request.add_unredirected_header("Authorization", f"Basic {b64encode(credentials).decode()}")
    _in_time(lambda: urllib.request.urlopen(request, timeout=POST_SECONDS).close())


def _split(url: str) -> tuple[str, bytes]:
    """Return an address without user and password, and these two with a colon between them; empty without a user."""
    parts = urlsplit(url)
    user_info, at, host = parts.netloc.rpartition("@")
    user, _, password = user_info.partition(":")
    credentials = f"{unquote(user)}:{unquote(password)}".encode() if at else b""
    return urlunsplit(parts._replace(netloc=host)), credentials


def _in_time(send: Callable[[], None]) -> None:
    """Do something on a thread of its own, and let it alone when its time is over: timeouts of sockets start anew
    with each byte."""
    ended = SimpleQueue[Exception | None]()

    def work() -> None:
        try:
            send()
        except Exception as error:  # raised again on the thread that waits
            ended.put(error)
        else:
            ended.put(None)

    threading.Thread(target=work, name="notification", daemon=True).start()
    try:
        error = ended.get(timeout=POST_SECONDS)
    except Empty:
        raise TimeoutError(f"no answer within {POST_SECONDS:g} s") from None
    if error is not None:
        raise error


def _call(command: str, facts: dict[str, Any]) -> None:
    """Run a command, without a shell."""
    given = {f"TUI_{name.upper()}": value for name, value in facts.items() if name != "v"}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    subprocess.run(
        shlex.split(command),
        env={**os.environ, **texts},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=COMMAND_SECONDS,
        check=True,
    )


def _reason(problem: Exception) -> str:
    """Without the address or the command: who has the address of a chat service may write there."""
    if isinstance(problem, subprocess.CalledProcessError):
        return f"the command exited with code {problem.returncode}"
    if isinstance(problem, subprocess.TimeoutExpired):
        return f"the command took longer than {COMMAND_SECONDS:g} s"
    if isinstance(problem, ValueError | InvalidURL):
        return "the address cannot be read"
    return str(problem).partition("\n")[0]
