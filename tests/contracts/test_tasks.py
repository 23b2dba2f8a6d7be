"""Names of tasks are compared in `core.tasks` alone: what differs between tasks is a field or a method there."""

import ast
from collections.abc import Iterator

import pytest

from core.tasks.registry import TASKS, task_for
from tests.support.sources import nodes, trees


def compared(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that compare something with a task's name, look it up by one, or list some of them.

    The choices of a setting are no such list: ``Literal["auto", "regression"]``.
    """
    choices = {id(node.slice) for node in nodes(tree) if isinstance(node, ast.Subscript)}
    for node in nodes(tree):
        match node:
            case ast.Compare():
                parts = [node.left, *node.comparators]
            case ast.MatchValue(value=value):
                parts = [value]
            case ast.Dict(keys=keys):
                parts = [key for key in keys if key is not None]
            case _ if id(node) in choices:
                continue
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                pass
            case _:
                continue
        if any(isinstance(part, ast.Constant) and part.value in TASKS for part in parts):
            yield node.lineno if not isinstance(node, ast.MatchValue) else node.value.lineno


def test_comparisons_are_found() -> None:
    source = """
if data.task == "binary": ...
if task not in ("regression", "custom"): ...
shown = {"multiclass": 2}[task]
asked: Literal["auto", "regression"]
match task:
    case "custom": ...
Report(task="custom")
"""
    assert sorted({*compared(ast.parse(source))}) == [2, 3, 4, 7]


@pytest.mark.slow
def test_no_name_of_a_task_is_compared_elsewhere() -> None:
    found = {
        path: sorted({*compared(tree)})
        for path, tree in trees().items()
        if not path.startswith("core/tasks/")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_every_task_is_whole() -> None:
    for name, task in TASKS.items():
        assert task.name == name
        assert task.views
        assert task.score in ("loss", *task.metrics(3)) or task.own_step
        assert task.own_step or task.default_loss


def test_the_task_follows_from_the_number_of_classes() -> None:
    assert [task_for(classes) for classes in (0, 2, 3)] == ["regression", "binary", "multiclass"]
