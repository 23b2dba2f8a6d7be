"""Documents of what only agents ask for: what was started, curves as numbers, the session."""

from dataclasses import dataclass
from typing import Any

from core.runs.agents.calls import calls_of
from core.runs.agents.grants import Grant, grants_of, left
from core.runs.agents.session import Session
from tui.headless.documents.envelope import Document

__all__ = ["HistoryDocument", "SessionDocument", "StartedDocument", "session_document", "started_document"]


@dataclass(frozen=True, kw_only=True)
class StartedDocument(Document):
    """Runs, or a study, that now run in the background.

    Attributes:
        runs: their ids, in the order in which they are trained; empty for a study.
        study: its name; empty for runs.
        minutes: after which all of it has ended. deadline: the same in seconds since 1970.
        minutes_left, runs_left: of the budget.
        notes: what there is to know, a line each.
    """

    kind = "started"
    runs: list[str]
    study: str
    minutes: float
    deadline: float
    minutes_left: float
    runs_left: int
    notes: list[str]


@dataclass(frozen=True, kw_only=True)
class HistoryDocument(Document):
    """Curves of a run.

    Attributes:
        axis: ``epoch``, ``step`` or ``time`` in seconds: what the points are counted in.
        names: of all curves that the run has. curves: by name, ``x`` and ``y``; null where a value is not finite.
        thinned: whether points were left out.
    """

    kind = "history"
    run: str
    status: str
    axis: str
    names: list[str]
    curves: dict[str, dict[str, list[float]]]
    thinned: bool


@dataclass(frozen=True, kw_only=True)
class SessionDocument(Document):
    """The session of agents in a folder of runs.

    Attributes:
        folder: with its record; empty where there is no session. started: seconds since 1970.
        stopped: whether the user has stopped it: nothing starts until the user allows agents again.
        max_minutes, max_runs: what the user allows. minutes_left, runs_left: of it.
        running: what still runs, each with ``targets minutes deadline client tool``.
        calls: each with ``time client tool asked why result ok runs``.
    """

    kind = "session"
    folder: str
    started: float
    stopped: bool
    max_minutes: float
    max_runs: int
    minutes_left: float
    runs_left: int
    running: list[dict[str, Any]]
    calls: list[dict[str, Any]]


def session_document(session: Session | None, calls: int | None = None) -> SessionDocument:
    """Return the document of a session.

    Args:
        session: None where there is none.
        calls: the number of the last calls to give; None for all.
    """
    if session is None:
        return SessionDocument(
            folder="",
            started=0.0,
            stopped=False,
            max_minutes=0.0,
            max_runs=0,
            minutes_left=0.0,
            runs_left=0,
            running=[],
            calls=[],
        )
    have, found = left(session), calls_of(session)
    return SessionDocument(
        folder=str(session.folder.resolve()),
        started=session.started,
        stopped=session.stopped,
        max_minutes=session.limits.minutes,
        max_runs=session.limits.runs,
        minutes_left=round(have.minutes, 2),
        runs_left=have.runs,
        running=[_running(grant) for grant in grants_of(session) if grant.alive],
        calls=[vars(call) for call in (found if calls is None else found[len(found) - calls :])],
    )


def started_document(
    session: Session, grant: Grant, *, runs: list[str], study: str = "", notes: list[str] | None = None
) -> StartedDocument:
    """Return the document of what was started with a grant."""
    have = left(session)
    return StartedDocument(
        runs=runs,
        study=study,
        minutes=round(grant.minutes, 2),
        deadline=grant.deadline,
        minutes_left=round(have.minutes, 2),
        runs_left=have.runs,
        notes=notes or [],
    )


def _running(grant: Grant) -> dict[str, Any]:
    return {
        "targets": list(grant.targets),
        "minutes": round(grant.minutes, 2),
        "deadline": grant.deadline,
        "client": grant.client,
        "tool": grant.tool,
    }
