"""The table of commands and the commands themselves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fixtures import WriteRun
from tests.support.repository import REPOSITORY
from tests.tui.cli.conftest import Tui
from tui.cli.commands.all import Commands
from tui.cli.lazy import _load


@pytest.mark.parametrize("name", Commands.COMMANDS)
def test_each_line_of_help_is_that_of_its_command(name: str) -> None:
    target, line = Commands.COMMANDS[name]
    assert _load(target).help.startswith(line.rstrip("."))


@pytest.mark.parametrize("name", Commands.COMMANDS)
def test_every_command_shows_an_example(name: str) -> None:
    command = _load(Commands.COMMANDS[name][0])
    for each in (command, *getattr(command, "commands", {}).values()):
        assert "Example" in each.help, each.name
        assert "\n" not in each.help.replace("\n\n", ""), (
            f"{each.name}: a paragraph of its help is cut in two"
        )


@pytest.mark.parametrize("line", ["", *Commands.COMMANDS, "runs show"])
def test_flags_have_no_type_in_the_help(tui: Tui, line: str) -> None:
    answer = tui(f"{line} --help")
    assert answer.code == 0
    assert "--help" in answer.out
    assert "<bool>" not in answer.out


def test_folders_before_a_command_are_its_own_unless_it_names_others(
    tui: Tui, write_run: WriteRun, tmp_path: Path
) -> None:
    runs = write_run("2026-01-02_0300_digits-mlp_abc", [0.5]).path.parent
    assert "digits-mlp_abc" in tui(f"--runs {runs} runs").out
    assert "digits-mlp_abc" in tui(f"--runs {runs} runs show abc").out
    assert tui(f"--runs elsewhere runs --runs {runs}").out == tui(f"runs --runs {runs}").out
    short = "train --no-ui --data iris --model mlp --epochs 1 --device cpu --threads 1 --quiet"
    assert tui(f"--runs there --data-root kept {short}").code == 0
    assert [path.name for path in Path().iterdir()] == ["there"]


def test_folders_before_a_command_win_over_the_environment(
    tui: Tui, write_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = write_run("2026-01-02_0300_digits-mlp_abc", [0.5]).path.parent
    monkeypatch.setenv("TUI_RUNS", "elsewhere")
    assert "digits-mlp_abc" in tui(f"--runs {runs} runs").out
    assert tui("optimizers").code == 0


@pytest.mark.parametrize(
    ("before", "command"), [("--runs x", "optimizers"), ("--data-root x", "compare a b")]
)
def test_folders_before_a_command_that_has_no_use_for_them_are_refused(
    tui: Tui, before: str, command: str
) -> None:
    answer = tui(f"{before} {command}")
    flag, name = before.partition(" ")[0], command.partition(" ")[0]
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"error: `tui {name}` has no option {flag}. Leave {flag} out\n"


@pytest.mark.slow
@pytest.mark.parametrize("line", ["runs", "runs --json", "config", "evaluate -h"])
def test_a_reader_that_has_left_ends_a_command_quietly(
    line: str, write_run: WriteRun, tmp_path: Path
) -> None:
    for name in "ab":
        write_run(f"2026-01-02_0300_digits-mlp_{name}", [0.5])
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as output:
        ended = subprocess.run(
            [sys.executable, "-m", "tui", *line.split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")
