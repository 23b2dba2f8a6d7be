"""docs/reliability.md promises nothing that no test keeps."""

import ast
import re

from tests.support.repository import REPOSITORY

NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def functions_in(name: str) -> set[str]:
    """The tests in the files of a name, which may be in several folders of the tests."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (
        node for file in (REPOSITORY / "tests").rglob(name) for node in ast.walk(ast.parse(file.read_text()))
    )
    return {node.name for node in nodes if isinstance(node, functions)}


def test_every_promise_names_a_test_that_exists() -> None:
    page = (REPOSITORY / "docs" / "reliability.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    rows = [row for row in rows if not row.startswith("| ---")]
    assert len(rows) > 30
    assert [row for row in rows if not NAMED.search(row)] == []
    assert [pair for pair in NAMED.findall(page) if pair[1] not in functions_in(pair[0])] == []
