"""Folds or seeds of one configuration that were started together: what was started twice is two groups."""

from collections.abc import Hashable, Iterable, Iterator

from core.runs.folder import Run, minute_in
from core.runs.origin.together import together_of

__all__ = ["batches"]

Numbered = tuple[Run, Hashable]
"""A run with its fold or seed."""


def batches(runs: Iterable[Numbered]) -> list[list[Run]]:
    """Return runs of one configuration in batches, the one with the newest run last.

    Runs say themselves with which others they were started, see `core.runs.origin.together`. Of those that do not, as
    they are older or were started one by one, a fold or seed that a batch has already begins the next one. In any
    batch each is once.

    Args:
        runs: each with its fold or seed; those of unknown times are taken in this order.
    """
    ordered = sorted(runs, key=lambda pair: _made(pair[0]))
    if len(ordered) < 2:
        return [[run] for run, _ in ordered]
    starts: dict[str, list[Numbered]] = {}
    silent: list[Numbered] = []
    for run, number in ordered:
        start = together_of(run)
        (starts.setdefault(start, []) if start else silent).append((run, number))
    for batch in _in_a_row(silent):
        ids = [run.id for run, _ in batch]
        start = next((id for id in ids if id in starts), ids[0])
        starts.setdefault(start, []).extend(batch)  # behind those that say so, which take their places first
    place = {run: at for at, (run, _) in enumerate(ordered)}
    found = [sorted(batch, key=place.__getitem__) for pairs in starts.values() for batch in _once_each(pairs)]
    return sorted(found, key=lambda batch: place[batch[-1]])


def _in_a_row(runs: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Runs in the order in which they were made, in parts that have each fold or seed once."""
    part: list[Numbered] = []
    for run, number in runs:
        if any(number == other for _, other in part):
            yield part
            part = []
        part.append((run, number))
    if part:
        yield part


def _once_each(runs: Iterable[Numbered]) -> list[list[Run]]:
    """Runs of one start; one whose fold or seed is there already, such as a copy, goes to the next batch."""
    found: list[dict[Hashable, Run]] = []
    for run, number in runs:
        batch = next((batch for batch in found if number not in batch), None)
        if batch is None:
            found.append(batch := {})
        batch[number] = run
    return [[*batch.values()] for batch in found]


def _made(run: Run) -> tuple[float, int]:
    """Return when the folder of a run was made: its name says the minute, a file that is written once the rest."""
    try:
        written = run.environment_file.stat().st_mtime_ns
    except OSError:
        written = 0
    return minute_in(run.id) or 0.0, written
