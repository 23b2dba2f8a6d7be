"""The working copy of git in which a run was started: its commit, and what was changed since."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MAX_DIFF", "WorkingCopy", "working_copy"]

SECONDS = 5.0
"""For each question to git; a large repository on a slow disk starts its run without an answer."""
MAX_DIFF = 10 * 2**20
"""Bytes of changes that are kept."""
MAX_NEW = 200
"""Names of new files that are kept."""
PLAIN = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")
"""Keeps git from starting what the repository's own settings name."""


@dataclass(frozen=True)
class WorkingCopy:
    """A commit, and what differs from it.

    Attributes:
        commit: hexadecimal. diff: changes of tracked files since, as git writes them. new: files that git does not
            track and is not told to ignore, which `diff` leaves out.
        note: why the changes are not known; empty where they are.
    """

    commit: str
    diff: bytes = b""
    new: tuple[str, ...] = ()
    note: str = ""


def working_copy(folder: Path) -> WorkingCopy | None:
    """Return what git says of a folder; None without git, or outside a repository."""
    commit = _ask(folder, ["rev-parse", "HEAD"])
    if not commit:
        return None
    name = commit.decode(errors="replace").strip()
    diff = _ask(folder, ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "HEAD"])
    if diff is None:
        return WorkingCopy(name, note=f"git did not say within {SECONDS:.0f} seconds what was changed")
    if len(diff) > MAX_DIFF:
        return WorkingCopy(
            name, note=f"{len(diff):,} bytes of changes are more than the {MAX_DIFF:,} that are kept"
        )
    new = _ask(folder, ["ls-files", "--others", "--exclude-standard", "-z"]) or b""
    names = [part.decode(errors="replace") for part in new.split(b"\0") if part]
    return WorkingCopy(name, diff, tuple(names[:MAX_NEW]))


def _ask(folder: Path, words: Sequence[str]) -> bytes | None:
    """The answer of git; None where it has none in time."""
    try:
        answer = subprocess.run(
            ["git", *PLAIN, *words], cwd=folder, capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None
