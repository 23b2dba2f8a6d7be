"""On what a run was made: enough to make it again."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.files.atomic import write_atomically
from core.runs.folder import Run

__all__ = ["MASK", "environment", "is_secret", "without_secrets", "write_environment"]

PACKAGES = ("torchtui", "torch", "torchvision", "numpy", "scikit-learn")
MASK = "***"
CREDENTIALS = re.compile(r"(://)(?:[^/?#:@]*:.*|[^/?#@]*)(?=@)")
"""In a URL such as ``postgresql://user:password@host/database``; a name alone may be a token."""
SECRET_NAME = r"\w*(?:password|passwd|pwd|secret|token|api_?key)\w*"
SECRET_PARAMETER = re.compile(rf"([?&;]{SECRET_NAME}=)[^&;#]*", re.IGNORECASE)


def environment() -> dict[str, Any]:
    """Versions, machine, command line without its secrets, and the git commit of the current folder."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in PACKAGES},
        "command": without_secrets(sys.argv),
        "folder": os.getcwd(),
        "git_commit": _git_commit(),
    }


def without_secrets(command: Sequence[str]) -> list[str]:
    """A command line fit to be written down: without the address of ``--notify``, and without secrets in URLs.

    Secrets are user names, which may be tokens, passwords, and parameters such as ``sslpassword``. Who has the address
    of a chat service may write there.
    """
    words = []
    for before, word in zip(("", *command), command, strict=False):
        if before == "--notify":
            words.append(MASK)
        elif word.startswith("--notify="):
            words.append(f"--notify={MASK}")
        else:
            words.append(SECRET_PARAMETER.sub(rf"\1{MASK}", CREDENTIALS.sub(rf"\1{MASK}", word)))
    return words


def is_secret(parameter: str) -> bool:
    """Return whether a parameter of a URL, such as ``sslpassword``, is a secret by its name."""
    return re.fullmatch(SECRET_NAME, parameter, re.IGNORECASE) is not None


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
