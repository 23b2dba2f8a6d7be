"""The command line, called in the process of the tests: a new one costs seconds."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.streams import streams_kept


@dataclass(frozen=True)
class Answer:
    """Output and exit code of a command."""

    code: int
    out: str
    err: str


Tui = Callable[[str], Answer]


@pytest.fixture
def tui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tui:
    """Runs ``tui`` in an empty folder; ``runs`` there is where runs are kept."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the library of commands sets its own

    def tui(line: str) -> Answer:
        from tui.cli import main

        monkeypatch.setattr(sys, "argv", ["tui", *shlex.split(line)])
        capsys.readouterr()
        code: object = 0
        with streams_kept():
            try:
                main()
            except SystemExit as end:
                code = end.code
        out, err = capsys.readouterr()
        assert isinstance(code, int | None)
        return Answer(code or 0, out, err)

    return tui


@pytest.fixture
def train(tui: Tui) -> Tui:
    """Runs a small ``tui train --no-ui`` of some seconds' fraction."""

    def train(line: str) -> Answer:
        model = "" if "--config" in line else "--model mlp"  # that of a file stays
        return tui(f"train --no-ui --data iris {model} --epochs 3 --device cpu --threads 1 {line}")

    return train
