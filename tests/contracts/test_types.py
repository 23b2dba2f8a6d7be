"""Everything that the type checker is told to ignore has a code and a reason."""

import re
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY

IGNORE = re.compile(r"# type: ignore(?P<code>\[[a-z, -]+\])?(?P<reason> +# \S.*)?$")
FILES = [
    path
    for folder in ("core", "tui", "tests")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
    if "released" not in path.parts and path != Path(__file__)
]


def unexplained(text: str) -> list[str]:
    """Return the lines that make the checker overlook something without a code, or without saying why.

    The reason is a comment behind it, or on the line above.
    """
    lines = text.splitlines()
    found = []
    for above, line in zip(["", *lines], lines, strict=False):
        ignored = IGNORE.search(line)
        explained = ignored and (ignored["reason"] or above.lstrip().startswith("# "))
        if "# type: ignore" in line and not (ignored and ignored["code"] and explained):
            found.append(line.strip())
    return found


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("x = f()  # type: ignore[misc]  # untyped in g", True),
        ("# Untyped in g.\nx = f()  # type: ignore[misc]", True),
        ("x = f()  # type: ignore[misc]", False),
        ("x = f()  # type: ignore  # untyped in g", False),
        ("# Untyped in g.\nx = f()  # type: ignore", False),
        ("x = f()", True),
    ],
)
def test_a_code_and_a_reason_are_asked_for(text: str, allowed: bool) -> None:
    assert (unexplained(text) == []) == allowed


def test_nothing_is_overlooked_without_a_code_and_a_reason() -> None:
    found = {str(path): lines for path in FILES if (lines := unexplained(path.read_text(encoding="utf-8")))}
    assert found == {}
