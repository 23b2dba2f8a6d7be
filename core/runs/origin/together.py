"""Which folds or seeds were started together: each such run keeps the name of its start, beside its environment."""

import json
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from core.files.reading import read_bytes
from core.runs.folder import Run, all_runs

__all__ = ["TOGETHER", "one_of", "start_of", "together_of"]

TOGETHER = "together"
"""What the environment of a run calls the name of its start."""


def together_of(run: Run) -> str:
    """Return the name of the start of several runs that a run belongs to.

    It is the id of a run that the others were added to, where that one has none.

    Returns:
        The name; empty for a run that was started by itself, or before starts had names.
    """
    try:
        written = run.environment_file.stat().st_mtime_ns
    except OSError:
        return ""
    return _read(run.environment_file, written)


def start_of(runs: Iterable[Run]) -> str:
    """Return the name of the start to which these runs belong, for those that are added; a new one without runs."""
    known = [*runs]
    named = next(filter(None, map(together_of, known)), "")
    return named or (known[0].id if known else secrets.token_hex(8))


def one_of(start: str, runs_dir: Path) -> Run | None:
    """Return a run that belongs to a start; None if there is none.

    Raises:
        RunError: the folder cannot be read.
    """
    return next((run for run in all_runs(runs_dir) if start in (run.id, together_of(run))), None)


@lru_cache(maxsize=4096)
def _read(path: Path, written: int) -> str:
    """The name in a file that is written once; screens ask again and again."""
    try:
        facts = json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError):
        return ""
    name = facts.get(TOGETHER) if isinstance(facts, dict) else None
    return name if isinstance(name, str) else ""
