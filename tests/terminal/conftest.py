"""Terminals for the tests."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Makes terminals that run ``tui``, or a script; what still runs at the end of the test is ended."""
    opened: list[Terminal] = []

    def make(*arguments: str, script: Path | None = None, columns: int = 100, rows: int = 32) -> Terminal:
        program = ["-m", "tui", *arguments] if script is None else [str(script)]
        opened.append(Terminal(program, tmp_path, columns, rows))
        return opened[-1]

    yield make
    for one in opened:
        if one.process.isalive():
            one.process.kill(signal.SIGKILL)
            one.process.wait()
        one.process.close()
