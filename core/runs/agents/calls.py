"""Record of the calls of agents, a line each: when, which client, which tool, what for, and what came of it."""

import json
import os
import time
from dataclasses import asdict, dataclass
from typing import Any

from core.files.atomic import creating
from core.files.json_lines import read_line
from core.files.reading import open_plain, read_tail
from core.runs.agents.session import Session

__all__ = ["AgentCall", "calls_of", "note_call"]

MAX_TEXT = 300
TAIL_BYTES = 1 << 20
"""Of the record, which grows by a line a call, at most so much is shown."""


@dataclass(frozen=True)
class AgentCall:
    """One call of a tool.

    Attributes:
        time: seconds since 1970.
        asked: the arguments, in short. why: what the agent said it is for; may be empty.
        result: what came of it, in a line. ok: false if it was refused or failed.
        runs: ids of the runs, or name of the study, that it started or stopped.
    """

    time: float
    client: str
    tool: str
    asked: str
    why: str
    result: str
    ok: bool = True
    runs: tuple[str, ...] = ()


def note_call(session: Session, call: AgentCall) -> None:
    """Append a call to the record of a session.

    Raises:
        RunError: that cannot be written.
    """
    short = {name: _short(value) if isinstance(value, str) else value for name, value in asdict(call).items()}
    path = session.folder / "calls.jsonl"
    with creating(path), os.fdopen(open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
        file.write(json.dumps(short).encode() + b"\n")


def calls_of(session: Session) -> list[AgentCall]:
    """Return the calls of a session, the first one first; damaged lines are left out."""
    lines = read_tail(session.folder / "calls.jsonl", TAIL_BYTES).splitlines()
    return [call for line in lines if (call := _read(line)) is not None]


def _read(line: str) -> AgentCall | None:
    try:
        values: dict[str, Any] = read_line(line)
        return AgentCall(
            time=min(max(float(values["time"]), 0.0), time.time()),
            client=str(values["client"]),
            tool=str(values["tool"]),
            asked=str(values["asked"]),
            why=str(values["why"]),
            result=str(values["result"]),
            ok=bool(values["ok"]),
            runs=tuple(map(str, values["runs"])),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
