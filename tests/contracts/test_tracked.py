"""All of the product is in its repository."""

import subprocess
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="not a checkout")
def test_git_ignores_no_source_file() -> None:
    """A pattern such as ``runs/`` would leave ``core/runs`` out of every clone, and out of the wheel."""
    answer = subprocess.run(
        [
            "git",
            "ls-files",
            "--others",
            "--ignored",
            "--exclude-standard",
            "core",
            "tui",
            "tests",
            "benchmarks",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    ignored = [Path(line) for line in answer.stdout.splitlines()]
    assert [str(path) for path in ignored if path.suffix in (".py", ".tcss")] == []
