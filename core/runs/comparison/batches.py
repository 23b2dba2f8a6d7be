"""Folds or seeds of one configuration that were started together: what was started twice is two groups."""

from collections.abc import Hashable, Iterable

from core.runs.folder import Run, minute_in

__all__ = ["batches"]


def batches(runs: Iterable[tuple[Run, Hashable]]) -> list[list[Run]]:
    """Return runs of one configuration in batches, in the order in which they were made.

    A fold or seed that a batch has already begins the next one: runs that were made between two starts of it, of
    which code or files of the user may differ, are not counted with those after it.

    Args:
        runs: each with its fold or seed; those of unknown times are taken in this order.
    """
    found: list[dict[Hashable, Run]] = []
    for run, number in sorted(runs, key=lambda pair: _made(pair[0])):
        if not found or number in found[-1]:
            found.append({})
        found[-1][number] = run
    return [[*batch.values()] for batch in found]


def _made(run: Run) -> tuple[float, int]:
    """Return when the folder of a run was made: its name says the minute, a file that is written once the rest."""
    try:
        written = run.environment_file.stat().st_mtime_ns
    except OSError:
        written = 0
    return minute_in(run.id) or 0.0, written
