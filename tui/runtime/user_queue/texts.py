"""The queue in words, for the command line and for the app."""

import time

from core.counting import counted
from core.files.reading import read_tail
from tui.runtime.user_queue.entries import ENDED, Entry, Lineup
from tui.runtime.user_queue.store import console_of

__all__ = ["EMPTY", "facts_of", "lines_of", "standing_of"]

EMPTY = "the queue is empty: `tui queue add train ...` adds to it"


def lines_of(lineup: Lineup, by: str) -> list[str]:
    """Return the queue as lines.

    Args:
        by: the process that works on it; empty for none.
    """
    if not lineup.entries:
        return [EMPTY]
    running, waiting, ended = (lineup.of(*states) for states in (("running",), ("waiting",), ENDED))
    lines = [_line("now", entry) for entry in running]
    lines += [_line(f"{place}.", entry) for place, entry in enumerate(waiting, 1)]
    lines += [_line("", entry) for entry in ended]
    failed = [entry for entry in ended if entry.state == "failed"]
    if failed:
        latest = max(failed, key=lambda entry: entry.ended)
        said = read_tail(console_of(latest)).strip().splitlines()
        lines += [f"{latest.id} ended with: {said[-1]}"] if said else []
        lines.append(f"output of {latest.id}: {console_of(latest)}")
    return [*lines, standing_of(lineup, by)]


def standing_of(lineup: Lineup, by: str, how: str = "`tui queue resume`") -> str:
    """Return one line on what the queue does, and what can be done about it.

    Args:
        by: the process that works on it; empty for none. how: what starts it again.
    """
    running, waiting = len(lineup.of("running")), len(lineup.of("waiting"))
    counts = f"{running} running, {waiting} waiting"
    if lineup.paused:
        return f"{counts}; paused: {how} starts what waits"
    if waiting and not by:
        return f"{counts}; nobody works on it: {how} starts what waits"
    slots = f"{counted(lineup.slots, 'run')} at once on the processor"
    return "; ".join(filter(None, (counts, lineup.note if waiting else "", slots)))


def facts_of(entry: Entry) -> str:
    """Return where and how long an entry runs, or how it ended."""
    if entry.state == "running":
        return f"running on {entry.devices}, {_time(time.time() - entry.started)}"
    if entry.state == "waiting":
        return (
            ""
            if entry.gpus is None
            else f"needs {'no GPU' if not entry.gpus else f'{entry.gpus} GPU' + 's' * (entry.gpus > 1)}"
        )
    code = f" with code {entry.code}" if entry.state == "failed" and entry.code is not None else ""
    unseen = ", how is not known" if entry.state == "ended" else ""
    return f"{entry.state}{unseen}{code}, {_time(entry.ended - entry.started)}"


def _line(place: str, entry: Entry) -> str:
    return "  ".join((f"{place:>4}", f"{entry.id:>3}", f"{facts_of(entry):<32}", entry.title))


def _time(seconds: float) -> str:
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
