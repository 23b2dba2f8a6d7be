"""Arguments of every tool: the agent that asks, and what the user allows."""

from dataclasses import dataclass, field
from pathlib import Path

from core.runs.agents.session import Budget, Session, open_session

__all__ = ["Agent", "Place"]


@dataclass(frozen=True)
class Place:
    """Place and permissions of a server of tools.

    Attributes:
        runs_dir: the folder of runs that it works in. data_root: where downloaded data sets are kept.
        files: folders whose files may be named.
        limits: of the session.
    """

    runs_dir: Path
    data_root: Path | None
    files: tuple[Path, ...]
    limits: Budget


@dataclass(frozen=True)
class Agent:
    """An agent that calls a tool.

    Attributes:
        client: name of its program, as that gives it.
        started: filled by the tool with the runs or the study that it starts or stops.
    """

    place: Place
    client: str
    started: list[str] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The session that it takes part in.

        Raises:
            RunError: its folder cannot be written, or is damaged.
        """
        return open_session(self.place.runs_dir, self.place.limits)
