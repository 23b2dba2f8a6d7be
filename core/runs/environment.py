"""On what a run was made: enough to make it again."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.files import write_atomically
from core.runs.folder import Run

__all__ = ["environment", "write_environment"]

PACKAGES = ("torchtui", "torch", "torchvision", "numpy", "scikit-learn")


def environment() -> dict[str, Any]:
    """Versions, machine, command line, and the git commit of the current folder."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "command": sys.argv,
        "folder": os.getcwd(),
        "git_commit": _git_commit(),
    }


def write_environment(run: Run) -> None:
    """Write ``environment.json``.

    Raises:
        RunError: it cannot be written.
    """
    text = json.dumps(environment(), indent=2)
    write_atomically(run.environment_file, lambda file: file.write(text.encode()))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit checked out in the current folder; None without git or outside a repository."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
