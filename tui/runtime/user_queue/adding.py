"""Changes that a user makes to the queue: add, move, remove and stop entries, pause and resume it."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from pathlib import Path

from core.counting import counted
from core.errors import DeviceError, InputError
from core.runs.folder import Run
from core.runs.labels import title_of
from core.runs.lock import is_held
from core.runs.requests import send
from core.user_code.trust import AGREED
from tui.runtime.hosts.host import WantedRun, new_folders
from tui.runtime.hosts.launching import agreed_digests
from tui.runtime.user_queue.entries import Entry, Lineup, Move, added, entry_of, moved
from tui.runtime.user_queue.leaving import take_out
from tui.runtime.user_queue.places import gpus_here
from tui.runtime.user_queue.store import change_lineup, pid_of, read_lineup
from tui.runtime.user_queue.unseen import run_of
from tui.runtime.user_queue.work import KEPT, start_working

__all__ = ["add", "add_run", "add_runs", "move", "pause", "place_of", "remove", "resume", "set_slots", "stop"]


def add(
    words: Sequence[str],
    title: str,
    *,
    gpus: int | None = None,
    run: Path | None = None,
    after: Path | None = None,
    agreed: Sequence[str] = (),
) -> Entry:
    """Add a command to the queue of this user, and let it be worked on.

    Args:
        words: of the command, after ``tui``; it is executed in the current folder.
        title: what lists call it.
        gpus: that it needs; None for one where this machine has some, 0 for none.
        run: that it resumes, if it does.
        after: a run whose end it waits for first.
        agreed: digests of the programs of the user that it may run.

    Raises:
        DeviceError: this machine has fewer GPUs.
        RunError: the queue cannot be written, or worked on.
    """
    return _added([_entry(words, title, gpus, run, after, agreed)])[0]


def add_run(wanted: WantedRun, gpus: int | None = None, after: Path | None = None) -> Entry:
    """Add a run to the queue; a new one gets its folder now, and is trained as it was when it was added.

    Args:
        gpus, after: as for `add`.

    Raises:
        TorchtuiError: its folder cannot be made, or the queue not be written; a new folder is deleted then.
    """
    return add_runs([wanted], gpus, after)[0]


def add_runs(
    wanted: Sequence[WantedRun],
    gpus: int | None = None,
    after: Path | None = None,
    *,
    in_turn: bool = False,
    variables: Callable[[Run], Mapping[str, str]] = lambda run: {},
) -> list[Entry]:
    """Add several runs to the queue as `add_run` does, all or none.

    Args:
        in_turn: each waits for the end of the one before it, also where a device is free.
        variables: returns those of the environment of one, beside those that are always kept.
    """
    with new_folders(wanted) as runs:
        entries = []
        for one, run in zip(wanted, runs, strict=True):
            needed = 0 if one.config.training.device == "cpu" else gpus
            words = one.resume_words(run)[1:]
            title = title_of(run.path) if len(runs) == 1 else _title_of_one(one, run)
            entry = _entry(words, title, needed, run.path, after, agreed_digests(run))
            entries.append(entry.model_copy(update={"variables": {**entry.variables, **variables(run)}}))
            after = run.path if in_turn else after
        return _added(entries)


def _title_of_one(wanted: WantedRun, run: Run) -> str:
    """Return what lists call one of several folds or seeds."""
    data, title = wanted.config.data, title_of(run.path)
    label = f"fold {data.fold} of {data.folds}" if data.folds else f"seed {wanted.config.training.seed}"
    return title if title.endswith(label.partition(" of ")[0]) else f"{title}  {label}"


def _entry(
    words: Sequence[str],
    title: str,
    gpus: int | None,
    run: Path | None,
    after: Path | None,
    agreed: Sequence[str],
) -> Entry:
    if gpus and gpus > (there := len(gpus_here())):
        raise DeviceError(f"{counted(gpus, 'GPU')} are needed, and this machine has {there}", "Ask for fewer")
    variables = {name: os.environ[name] for name in KEPT if os.environ.get(name)}
    if agreed:
        variables[AGREED] = " ".join(agreed)
    return Entry(
        id=0,
        words=tuple(words),
        folder=str(Path.cwd()),
        title=title,
        gpus=gpus,
        variables=variables,
        run=str(run.resolve()) if run is not None else "",
        after=str(after.resolve()) if after is not None else "",
        added=time.time(),
    )


def _added(entries: Sequence[Entry]) -> list[Entry]:
    """Add entries in one step, and let them be worked on."""
    lineup = change_lineup(lambda lineup: reduce(added, entries, lineup))
    if not lineup.paused:
        start_working()
    return [*lineup.entries[-len(entries) :]]


def place_of(lineup: Lineup, entry: Entry) -> int:
    """Return the place of an entry among those that wait, from 1; 0 for one that does not."""
    waiting = [other.id for other in lineup.of("waiting")]
    return waiting.index(entry.id) + 1 if entry.id in waiting else 0


def move(number: int, where: Move) -> Lineup:
    """Move an entry that waits; see `tui.runtime.user_queue.entries.moved`."""
    return change_lineup(lambda lineup: moved(lineup, number, where))


def remove(number: int) -> Lineup:
    """Remove an entry that waits or has ended.

    Raises:
        InputError: it runs.
    """
    return take_out(number)


def stop(number: int) -> None:
    """Ask the process of an entry to save and stop; the next one starts then.

    Raises:
        InputError: it does not run.
    """
    entry = entry_of(read_lineup(), number)
    if entry.state == "waiting":
        raise InputError(f"entry {number} of the queue waits", "Remove it from the queue")
    entry = entry_of(read_lineup(), number, "running")
    pid, run = pid_of(entry), run_of(entry)
    if not pid and run is not None and is_held(run):  # by a process that the queue has not started
        send(run, "stop")
        return
    if not pid:
        raise InputError(f"entry {number} of the queue has ended meanwhile")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def pause() -> Lineup:
    """Start nothing more; what runs goes on."""
    return change_lineup(lambda lineup: lineup.model_copy(update={"paused": True}))


def resume() -> Lineup:
    """Let what waits start again, also where nobody has worked on the queue any more."""
    lineup = change_lineup(lambda lineup: lineup.model_copy(update={"paused": False, "note": ""}))
    if lineup.of("waiting", "running"):
        start_working()
    return lineup


def set_slots(slots: int) -> Lineup:
    """Change how many runs train on the processor at once."""
    return change_lineup(lambda lineup: lineup.model_copy(update={"slots": slots}))
