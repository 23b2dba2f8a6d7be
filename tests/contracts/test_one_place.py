"""Each piece of knowledge is in one place: a second copy of one of these tables or texts fails here."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from core.config.formatting import format_setting
from core.metrics import LABELS
from core.status import Status
from tests.support.sources import nodes, trees
from tui.forms import search_form
from tui.forms.form_fields import show
from tui.terminal.text import setting

SHARED = frozenset(
    ("Augment", "Emit", "Floats", "Layout", "RunCallback", "Sample", "Share", "Split", "Step", "Table")
)
"""Names that classes of two modules of the core have today; do not add one."""


@cache
def constants() -> tuple[list[tuple[str, frozenset[object]]], dict[object, set[str]]]:
    """Return the tuples, lists and sets of two or more constants, with their modules; and the modules of each text."""
    lists: list[tuple[str, frozenset[object]]] = []
    texts: dict[object, set[str]] = {}
    for path, tree in trees().items():
        for node in nodes(tree):
            if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
                found = [part.value for part in node.elts if isinstance(part, ast.Constant)]
                if len(found) == len(node.elts) > 1:
                    lists.append((path, frozenset(found)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.setdefault(node.value, set()).add(path)
    return lists, texts


def lists_of(words: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the module and the words of each tuple, list or set that holds nothing but two or more of some words."""
    for path, found in constants()[0]:
        if words.issuperset(found):
            yield path, frozenset(map(str, found))


def modules_with(text: str) -> set[str]:
    """Return the modules that hold a text as a string of its own."""
    return constants()[1].get(text, set())


@pytest.mark.slow
def test_groups_of_statuses() -> None:
    """Trials of a study have states of their own."""
    copies = {
        path: words
        for path, words in lists_of(frozenset(get_args(Status)))
        if "tuning" not in path and not Path(path).match("tui/screens/tune/*")
    }
    allowed = {
        "core/status.py",
        "core/runs/problems.py",  # the checkpoints that an ending leaves
        "core/training/engine.py",  # the endings of a training
        "tui/headless/trial_states.py",  # states of trials
        "tui/runtime/user_queue/entries.py",  # states of what waits in the queue
        "tui/screens/live/status_line.py",  # while steps are counted
        "tui/screens/runs/screen.py",  # those that are counted in the status bar, in their order
        "tui/widgets/runs_columns.py",  # their order in the table
    }
    assert copies.keys() <= allowed, copies


@pytest.mark.slow
def test_what_metrics_are_called() -> None:
    for label in ("balanced accuracy", "F1 (macro)", "ROC AUC (macro)", "AP (macro)", "Cohen's kappa"):
        assert modules_with(label) == {"core/metrics.py"}
    groups = {path for path, words in lists_of(frozenset(LABELS)) if len(words) > 3}
    assert groups == {"core/metrics.py"}


@pytest.mark.parametrize("value", [0.1, 1e-05, 1.0, 3, True, False, [256, 128], "adam"])
def test_how_a_setting_is_written(value: object) -> None:
    text = format_setting(value)
    assert setting(value) == show(value) == text
    assert search_form._text({"choices": [value, 0]}) in (f"{text},0", f"[{text.replace(', ', ',')}],0")


@pytest.mark.slow
def test_a_name_means_one_thing() -> None:
    """Public classes and named types of the core."""
    places: dict[str, set[str]] = {}
    for path, tree in trees().items():
        for node in tree.body if path.startswith("core") else ():
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(path)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                for name in names:
                    if name[:1].isupper() and not name.isupper():
                        places.setdefault(name, set()).add(path)
    several = {name: sorted(paths) for name, paths in places.items() if len(paths) > 1 and name[0] != "_"}
    assert several.keys() <= SHARED, {name: several[name] for name in several.keys() - SHARED}
