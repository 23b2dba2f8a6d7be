"""On what a run was made: enough to make it again."""

import json
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from core.files.atomic import write_atomically
from core.runs.folder import Run
from core.runs.origin.packages import installed_packages
from core.runs.origin.together import TOGETHER
from core.runs.origin.working_copy import WorkingCopy, working_copy
from core.torchrun import launch_id, launched_processes

__all__ = [
    "MASK",
    "environment",
    "environment_files",
    "is_secret",
    "without_secrets",
    "write_environment",
    "write_files",
]

HERE = Run(Path())
"""Knows the names of the files."""
MASK = "***"
CREDENTIALS = re.compile(r"(://)(?:[^/?#:@]*:.*|[^/?#@]*)(?=@)")
"""In a URL such as ``postgresql://user:password@host/database``; a name alone may be a token."""
SECRET_NAME = r"\w*(?:password|passwd|pwd|secret|token|api_?key)\w*"
SECRET_PARAMETER = re.compile(rf"([?&;]{SECRET_NAME}=)[^&;#]*", re.IGNORECASE)


def environment(copy: WorkingCopy | None = None) -> dict[str, Any]:
    """Versions, machine, command line without its secrets, and the commit of the working copy."""
    values = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "packages": installed_packages(),
        "command": without_secrets(sys.argv),
        "folder": os.getcwd(),
        "git_commit": copy.commit if copy else None,
    }
    if launch := launch_id():
        values["launch"] = launch
    if (processes := launched_processes()) > 1:
        values["processes"] = processes
    if copy and (copy.new or copy.note):
        values |= {"git_new_files": list(copy.new), "git_note": copy.note}
    return values


def environment_files(together: str = "") -> dict[str, bytes]:
    """Return the files that document where and of what a run is made, by name.

    Args:
        together: the start of several runs that it belongs to, see `core.runs.origin.together`; empty for none.
    """
    copy = working_copy(Path.cwd())
    values = environment(copy) | ({TOGETHER: together} if together else {})
    files = {HERE.environment_file.name: json.dumps(values, indent=2).encode()}
    return files | ({HERE.diff_file.name: copy.diff} if copy and copy.diff else {})


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


def write_environment(run: Run, together: str = "") -> None:
    """Write ``environment.json``, and ``working-copy.diff`` where tracked files were changed.

    Args:
        together: as for `environment_files`.

    Raises:
        RunError: they cannot be written.
    """
    write_files(run, environment_files(together))


def write_files(run: Run, files: Mapping[str, bytes]) -> None:
    """Write files into the folder of a run.

    Raises:
        RunError: they cannot be written.
    """
    for name, content in files.items():
        write_atomically(run.path / name, partial(_write, content))


def _write(content: bytes, file: BinaryIO) -> None:
    file.write(content)
