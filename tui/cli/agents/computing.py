"""Tools that compute while the agent waits: the commands themselves, each in a process bound to its minutes."""

import csv
import json
import subprocess
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.errors import InputError, RunError
from core.files.reading import open_regular
from core.runs.agents.grants import Grant, take
from core.runs.agents.guard import environment_of
from core.runs.folder import find_run
from core.safe_path import TUI_COMMAND
from tui.cli.agents.acting import Minutes, Why
from tui.cli.agents.agent import Agent
from tui.cli.agents.bounds import ensure_agreed, ensure_here, reference_of

__all__ = ["evaluate_run", "predict"]

MAX_LINE = 1 << 20


def evaluate_run(
    agent: Agent,
    run: Annotated[
        str, Field(description="A run with a model: its id, the last letters of it, its name, or latest.")
    ],
    minutes: Minutes = None,
) -> dict[str, Any]:
    """Evaluate the best weights of a run on validation: metrics with 95 % intervals, classes, simple models beside it.

    The test split is locked.
    """
    values, _ = _result(agent, "evaluate_run", run, minutes, ["--split", "validation"])
    return values | {"thresholds": []}  # a row for each threshold: tui evaluate prints them


def predict(
    agent: Agent,
    run: Annotated[
        str, Field(description="A run with a model: its id, the last letters of it, its name, or latest.")
    ],
    samples: Annotated[str, Field(description="A file with new samples, or a folder of pictures or texts.")],
    rows: Annotated[
        int, Field(ge=0, le=1000, description="Give at most so many rows; the file has all.")
    ] = 100,
    minutes: Minutes = None,
    why: Why = "",
) -> dict[str, Any]:
    """Predict new samples with the best weights of a run; all rows go to a CSV file in the session's folder."""
    ensure_here(samples, agent.place)
    path = Path(samples).expanduser()
    if not path.exists():
        raise InputError(f"{samples} is not there", f"Paths start at {Path.cwd()}")
    values, written = _result(agent, "predict", run, minutes, [str(path.resolve())], to_file=True)
    with open_regular(written) as file:
        lines = csv.reader(
            line.decode(errors="replace") for line in iter(lambda: file.readline(MAX_LINE), b"")
        )
        columns, *found = islice(lines, rows + 1)
    return values | {"columns": columns, "rows": found}


def _result(
    agent: Agent, tool: str, reference: str, minutes: float | None, words: list[str], *, to_file: bool = False
) -> tuple[dict[str, Any], Path]:
    """Return the document that a command prints about a run, and the file that it was told to write.

    Raises:
        RunError: the command failed, or its minutes are over.
    """
    place = agent.place
    run = find_run(place.runs_dir, reference_of(reference, agent.place))
    ensure_agreed(run.config(), run)
    grant = take(agent.session, minutes, 0, client=agent.client, tool=tool)
    file = grant.folder / "predictions.csv"
    command = [*TUI_COMMAND, "predict" if to_file else "evaluate", "--json", "--runs", str(place.runs_dir)]
    command += ["--data-root", str(place.data_root)] if place.data_root is not None else []
    command += ["--csv", str(file)] if to_file else []
    done = subprocess.run(
        [*command, str(run.path.resolve()), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment_of(grant),
        start_new_session=True,
        check=False,
    )
    try:
        values: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise _failure(done, grant) from None
    if values.get("document") == "error":
        raise RunError(str(values["message"]), str(values["hint"]))
    return values, file


def _failure(done: "subprocess.CompletedProcess[bytes]", grant: Grant) -> RunError:
    """Return why a command gave no result."""
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if done.returncode < 0 and last.startswith("stopped: "):
        return RunError(last, "Ask for more minutes")
    return RunError(last.removeprefix("error: ") or f"the command ended with {done.returncode}")
