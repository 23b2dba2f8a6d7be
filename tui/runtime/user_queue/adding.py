"""Changes that a user makes to the queue: add, move, remove and stop entries, pause and resume it."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.counting import counted
from core.errors import DeviceError, InputError
from core.runs.labels import title_of
from core.user_code.trust import AGREED
from tui.runtime.hosts.host import WantedRun
from tui.runtime.hosts.launching import agreed_digests
from tui.runtime.user_queue.entries import Entry, Lineup, Move, added, entry_of, moved, removed
from tui.runtime.user_queue.places import gpus_here
from tui.runtime.user_queue.store import change_lineup, forget_files, pid_of, read_lineup
from tui.runtime.user_queue.work import start_working

__all__ = ["add", "add_run", "move", "pause", "place_of", "remove", "resume", "set_slots", "stop"]

KEPT = ("TUI_RUNS", "TUI_DATA")
"""Variables of whoever adds, which its command depends on."""


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
    if gpus and gpus > (there := len(gpus_here())):
        raise DeviceError(f"{counted(gpus, 'GPU')} are needed, and this machine has {there}", "Ask for fewer")
    variables = {name: os.environ[name] for name in KEPT if name in os.environ}
    if agreed:
        variables[AGREED] = " ".join(agreed)
    entry = Entry(
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
    lineup = change_lineup(lambda lineup: added(lineup, entry))
    if not lineup.paused:
        start_working()
    return lineup.entries[-1]


def add_run(wanted: WantedRun, gpus: int | None = None, after: Path | None = None) -> Entry:
    """Add a run to the queue; a new one gets its folder now, and is trained as it was when it was added.

    Args:
        gpus, after: as for `add`.

    Raises:
        TorchtuiError: its folder cannot be made, or the queue not be written.
    """
    run = wanted.folder()
    if wanted.config.training.device == "cpu":
        gpus = 0
    words = wanted.resume_words(run)[1:]
    return add(words, title_of(run.path), gpus=gpus, run=run.path, after=after, agreed=agreed_digests(run))


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
    lineup = change_lineup(lambda lineup: removed(lineup, number))
    forget_files(number, console=True)
    return lineup


def stop(number: int) -> None:
    """Ask the process of an entry to save and stop; the next one starts then.

    Raises:
        InputError: it does not run.
    """
    entry = entry_of(read_lineup(), number, "running")
    pid = pid_of(entry)
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
