"""docs/reliability.md promises nothing that no test keeps."""

import re

from tests.support.repository import REPOSITORY

DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)\(", flags=re.M)
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def existing_tests() -> set[tuple[str, str]]:
    """Return the names of all files of tests, each with the name of a test in it; some are in several folders."""
    return {
        (file.name, name)
        for file in (REPOSITORY / "tests").rglob("test_*.py")
        for name in DEFINED.findall(file.read_text("utf-8"))
    }


def test_every_promise_names_a_test_that_exists() -> None:
    page = (REPOSITORY / "docs" / "reliability.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    rows = [row for row in rows if not row.startswith("| ---")]
    assert len(rows) > 30
    assert [row for row in rows if not NAMED.search(row)] == []
    there = existing_tests()
    assert [pair for pair in NAMED.findall(page) if pair not in there] == []
