"""Docstrings start with a verb or a noun, and limits are called MAX_: a reader can search for what a thing does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY

FOLDERS = ("core", "tui", "tests", "benchmarks", "examples")
SOURCES = sorted(file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py"))
VAGUE = re.compile(r"(What|Whether|Within)\b")
"""First words that make a reader wait for the verb, or that hide it."""
QUOTED = re.compile(rf"[\"']\s*{VAGUE.pattern}")
"""A text that starts with one of them: other files need not be parsed."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
RELEASED = REPOSITORY / "tests" / "released"
"""Files of earlier versions stay as they were written."""


def vague_docstrings(source: str) -> list[str]:
    """Return the first lines of docstrings that start with one of the vague words."""
    if not QUOTED.search(source):
        return []
    found = (
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED)
    )
    return [text.partition("\n")[0] for text in found if VAGUE.match(text)]


def limits_of(source: str) -> Iterator[str]:
    """Yield the names that begin with MOST_ and that a module assigns to, at any depth."""
    for node in ast.walk(ast.parse(source)) if "MOST_" in source else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id.startswith("MOST_"):
            yield node.id


def checked() -> list[Path]:
    return [file for file in SOURCES if RELEASED not in file.parents]


def test_docstrings_start_with_a_verb_or_a_noun() -> None:
    assert len(checked()) > 400
    vague = {str(file.relative_to(REPOSITORY)): vague_docstrings(file.read_text()) for file in checked()}
    assert {name: lines for name, lines in vague.items() if lines} == {}


def test_limits_are_called_max() -> None:
    most = {str(file.relative_to(REPOSITORY)): [*limits_of(file.read_text())] for file in checked()}
    assert {name: names for name, names in most.items() if names} == {}


@pytest.mark.parametrize("text", ["What a run says.", "Whether it is done.", "Within, nothing is written."])
def test_vague_words_would_be_found(text: str) -> None:
    assert vague_docstrings(f'def function():\n    """{text}"""') == [text]
    assert vague_docstrings('"""Return whether it is done."""') == []
    assert vague_docstrings(f"def function():\n    r'''\n    {text}\n    '''") == [text]
    assert list(limits_of("MOST_ROWS = OTHER = len(MOST_OF)")) == ["MOST_ROWS"]
