"""Disks whose locks fail, in each way that file systems have: every command works, and says what is not protected."""

import errno

import pytest

from tests.support.locks import refuse_locks
from tests.tui.cli.conftest import Tui

COMMANDS = [
    "train --no-ui --data iris --model mlp --epochs 2 --device cpu --threads 1",
    "train --no-ui --resume latest --set training.epochs=3",
    "runs",
    "runs show latest",
    "evaluate latest",
    "export latest --to csv --output exported",
    "report latest --output page.html",
]


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_every_command_works(code: int, tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, code)
    for command in COMMANDS:
        answer = tui(command)
        assert answer.code == 0, f"{command}: {answer.err}"
        assert "Traceback" not in answer.out + answer.err
        if command.startswith("train"):
            assert "has no locks" in answer.out + answer.err
