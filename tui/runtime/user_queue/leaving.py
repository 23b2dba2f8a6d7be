"""Entries that leave the queue before their turn: taken out by the user, or because agents were stopped."""

from pathlib import Path

from core.runs.agents.grants import no_longer_waits
from core.runs.agents.guard import GRANT, WAITED
from core.runs.agents.session import Session, stop_session
from tui.runtime.user_queue.entries import Entry, Lineup, entry_of, removed
from tui.runtime.user_queue.store import change_lineup, forget_files, read_lineup

__all__ = ["stop_agents", "take_out"]


def take_out(number: int) -> Lineup:
    """Remove an entry that waits or has ended, and return the queue.

    Raises:
        InputError: it runs, or there is none.
        RunError: the queue cannot be written.
    """
    gone: list[Entry] = []

    def change(lineup: Lineup) -> Lineup:
        gone.append(entry_of(lineup, number))
        return removed(lineup, number)

    lineup = change_lineup(change)
    forget_files(number, console=True)
    variables = gone[-1].variables
    if GRANT in variables and WAITED in variables:
        no_longer_waits(Path(variables[GRANT]), variables[WAITED])
    return lineup


def stop_agents(session: Session) -> list[str]:
    """Stop a session of agents: what runs is saved, what waits in the queue leaves it; return the runs that left.

    Raises:
        RunError: that cannot be written.
    """
    stop_session(session)
    folder = session.folder.resolve()
    left = []
    for entry in read_lineup().of("waiting"):
        if GRANT in entry.variables and folder in Path(entry.variables[GRANT]).parents:
            take_out(entry.id)
            left.append(Path(entry.run).name)
    return left
