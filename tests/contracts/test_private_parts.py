"""Private parts of other libraries live in one module per library.

A name is private if it starts with an underscore and its library does not document it. A use outside these modules
has no canary test that fails when a new version changes it, and no way to work without it.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from textual.app import App

import core
import tui
from tests.support.repository import REPOSITORY
from tests.support.sources import is_own, nodes, trees

ROOMS = {
    "core/torch_private.py",
    "core/tuning/executors/ray_executor.py",  # all that is known of Ray; its canary is in test_import_path.py
    "core/tuning/study/optuna_file.py",  # the tables of a study in a file; its canary is in test_optuna_file.py
    "core/tuning/study/optuna_private.py",
    "tui/app/web_server.py",  # all that is known of textual-serve, which is a subclass of its server
    "tui/charts/plotext_private.py",
    "tui/terminal/textual_private.py",
}
OF_NAMED_TUPLES = ("_asdict", "_fields", "_make", "_replace")
"""Public, though they begin with an underscore: names of fields could clash with them otherwise."""
DOCUMENTED = {"os._exit"}
OURS = ("core", "tui")


def is_private(name: str) -> bool:
    return (
        name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name.strip("_") != ""
    )


def checked() -> dict[str, ast.Module]:
    """All modules of the product by their paths, but those that may use private parts."""
    assert trees().keys() >= ROOMS
    return {path: tree for path, tree in trees().items() if path not in ROOMS}


def defined_in(tree: ast.AST) -> set[str]:
    """Names that a piece of code gives to something of its own."""
    found = set()
    for node in nodes(tree) if isinstance(tree, ast.Module) else ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def private_uses(tree: ast.Module, ours: set[str]) -> Iterator[tuple[int, str]]:
    """Lines with imports, attributes and names in texts that are private, and not ours."""
    here = defined_in(tree)
    for node in nodes(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                parts = [*module.split("."), *(alias.name for alias in names)]
                if not module.startswith(OURS) and any(map(is_private, parts)):
                    yield node.lineno, ast.unparse(node)
            case ast.Import(names=names):
                if any(is_private(part) for alias in names for part in alias.name.split(".")):
                    yield node.lineno, ast.unparse(node)
            case ast.Attribute(value=value, attr=name) if is_private(name):
                known = ours if is_own(value) else here
                if name not in {*known, *OF_NAMED_TUPLES} and ast.unparse(node) not in DOCUMENTED:
                    yield node.lineno, ast.unparse(node)
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"), args=[_, name, *_]
            ):
                if isinstance(name, ast.Constant) and is_private(str(name.value)) and name.value not in here:
                    yield node.lineno, ast.unparse(node)


@pytest.mark.slow
def test_no_module_uses_private_parts_of_a_library_but_those_made_for_it() -> None:
    ours = {name for tree in checked().values() for name in defined_in(tree)}
    found = [
        f"{path}:{line}: {text}"
        for path, tree in checked().items()
        for line, text in private_uses(tree, ours)
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "from textual._compositor import Compositor",
        "from torch.nn.modules.batchnorm import _BatchNorm",
        "import torch._dynamo",
        "app._driver.write('x')",
        "self._bindings_ready",
        "attempt._cached_frozen_trial.intermediate_values",
        "getattr(app, '_exit')",
        "screen._compositor = Compositor()",
    ],
)
def test_a_private_part_is_found(line: str) -> None:
    assert list(private_uses(ast.parse(line), set()))


def test_what_is_our_own_or_documented_is_let_pass() -> None:
    code = """
import os
from core.runs import _own
class Pair:
    def __init__(self, other):
        self._left = other._left
        self.__dict__
os._exit(1)
"""
    assert not list(private_uses(ast.parse(code), {"_left"}))


def modules() -> Iterator[ModuleType]:
    """Every module of the product whose libraries are installed."""
    for package in (core, tui):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            path = found.name.replace(".", "/") + ".py"
            if not found.name.endswith("__main__") and "adapters" not in found.name and path not in ROOMS:
                yield importlib.import_module(found.name)


@cache
def private_names(kind: type[Any]) -> set[str]:
    """Private names that a class of a library defines, or gives its instances."""
    try:
        source = ast.parse(inspect.cleandoc(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        source = ast.Module([], [])
    assigned = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value)
    }
    return {name for name in {*vars(kind), *assigned} if is_private(name)}


def test_private_names_of_classes_and_of_their_instances_are_seen() -> None:
    assert private_names(App) >= {"_handle_exception", "_exit", "_driver"}
    assert "exit" not in private_names(App)


@pytest.mark.slow
def test_no_class_replaces_a_private_part_of_the_class_it_is_made_from() -> None:
    """By chance, most of all: then the library misbehaves in a way that nobody understands."""
    clashes, looked_at = [], 0
    for module in modules():
        path = Path(inspect.getsourcefile(module) or "").relative_to(REPOSITORY)
        tree = trees().get(str(path), ast.Module([], []))
        written = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        for name, kind in vars(module).items():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__ or name not in written:
                continue
            own = {each for each in defined_in(written[name]) if is_private(each)}
            for base in kind.__mro__[1:]:
                if base.__module__.partition(".")[0] in {*OURS, *sys.stdlib_module_names}:
                    continue
                looked_at += 1
                clashes += [f"{path}: {name}.{each} of {base.__name__}" for each in own & private_names(base)]
    assert looked_at > 100
    assert not clashes
