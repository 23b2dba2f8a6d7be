"""Errors of the core are worded where they are shown: the core names no flag and no command."""

import ast
import re

import pytest

from core import remedies
from core.errors import ConfigError, RunError, TorchtuiError
from core.remedies import LIST_RUNS, PLAIN, Remedy, setting
from tests.support.sources import nodes, trees
from tui.forms.remedies import APP, COMMAND_LINE, app_words, command_line_words, error_in_app

COMMAND = re.compile(
    r"(^|[\s`'\"(])(--[a-z][a-z-]*|tui (train|tune|runs|watch|stop|config|predict|evaluate|export|doctor)\b)"
)
NOT_OURS = {
    "core/export/predict.py",
    "core/slurm/script.py",
    "core/slurm/client.py",
    "core/slurm/ended.py",
    "core/slurm/forecast.py",
    "core/slurm/settings.py",
}
"""The exported program has flags of its own, and so have Slurm's."""
ALLOWED = {
    "core/runs/origin/environment.py": {
        "--notify",
        "--notify=",
    },  # recognised, so as to hide its value; never shown
    "core/runs/origin/working_copy.py": {  # of git
        *("--no-optional-locks", "--no-ext-diff", "--no-textconv", "--no-color", "--binary"),
        *("--others", "--exclude-standard"),
    },
    "core/observers/machine_state.py": {
        "--query-compute-apps=pid,used_memory",
        "--query-gpu=",
    },  # of nvidia-smi
    "core/gpus/smi.py": {"--format=csv,noheader,nounits"},
    "core/gpus/table.py": {"--query-compute-apps=", "--query-gpu="},
    "core/data/builtin/vision.py": {  # a command of pip's
        "Install a matching pair: pip install --upgrade torch torchvision. Tables and digits work without it"
    },
    "core/remedies.py": {PLAIN["start_cluster"]},  # a command of Ray's
}


def texts(tree: ast.Module) -> list[str]:
    """All string literals of a module but the docstrings of modules, classes and functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in nodes(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    constants = (
        node for node in nodes(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings
    )
    return [node.value for node in constants if isinstance(node.value, str)]


def commands_in(tree: ast.Module) -> list[str]:
    return [text for text in texts(tree) if COMMAND.search(text)]


@pytest.mark.slow
def test_the_core_names_no_flag_and_no_command() -> None:
    core = {path: tree for path, tree in trees().items() if path.startswith("core/")}
    assert len(core) > 100
    found = {path: {*commands_in(tree)} - ALLOWED.get(path, set()) for path, tree in core.items()}
    assert {path: named for path, named in found.items() if named and path not in NOT_OURS} == {}


@pytest.mark.parametrize("text", ["Give --val 0.1", "`tui config` prints all keys", "tui runs lists them"])
def test_a_flag_or_a_command_would_be_found(text: str) -> None:
    assert commands_in(ast.parse(f"raise Error({text!r})")) == [text]
    assert commands_in(ast.parse(f'def f():\n    """{text}"""')) == []


def test_every_front_end_words_every_remedy() -> None:
    named = {value.key for value in vars(remedies).values() if isinstance(value, Remedy)}
    named |= {function("a", "b").key for function in (setting,)}
    named |= {remedies.show_run("a").key, remedies.resume_study("a").key, remedies.processes(2).key, "field"}
    assert set(PLAIN) == named
    assert set(APP) == named
    assert set(COMMAND_LINE) == named - {"setting"}


@pytest.mark.parametrize(
    ("remedy", "command", "app"),
    [
        (setting("data.validation", 0.1), "--val 0.1", "data.validation: 0.1"),
        (setting("data.encoding", "cp1252"), "--set data.encoding=cp1252", "data.encoding: cp1252"),
        (Remedy("field", ("data.validation",)), "--val", "data.validation"),
        (LIST_RUNS, "`tui runs` lists the runs", "1 Runs lists the runs"),
    ],
)
def test_words_fit_the_front_end(remedy: Remedy, command: str, app: str) -> None:
    assert (command_line_words(remedy), app_words(remedy)) == (command, app)


def test_an_error_is_worded_by_who_shows_it() -> None:
    error = ConfigError("data.validation: got 0", ("Give ", setting("data.validation", 0.1), " or more"))
    assert str(error) == "data.validation: got 0. Give data.validation=0.1 or more"
    assert error.worded(command_line_words) == "data.validation: got 0. Give --val 0.1 or more"
    assert error_in_app(error) == "data.validation: got 0. Give data.validation: 0.1 or more"
    assert error_in_app(KeyError("a")) == "'a'"
    assert str(RunError("no run")) == "no run"
    assert str(TorchtuiError("failed", "Try again")) == "failed. Try again"
