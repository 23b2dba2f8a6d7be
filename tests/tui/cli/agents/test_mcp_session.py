"""A session of a real client, which starts `tui mcp` as any client does; and bounds that outlive the server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.runs.agents.grants import grants_of, left
from core.runs.agents.session import Budget, current_session, open_session, stop_session
from core.runs.folder import Run
from core.runs.summary import summarise
from core.safe_path import TUI_COMMAND
from tests.support.narrow import some

pytest.importorskip("mcp", reason="the mcp package is not installed")

from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import Implementation

pytestmark = pytest.mark.heavy

TOOLS = {
    *("list_runs", "show_run", "metric_history", "compare_runs", "show_study", "list_choices", "session"),
    *("start_run", "resume_run", "tune", "stop", "evaluate_run", "predict"),
}
SMALL = {"data": "iris", "epochs": 3, "device": "cpu", "threads": 1}
PATIENCE = 300


def until(condition: Callable[[], object]) -> None:
    """Wait for what other processes do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


async def test_a_session(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = [*TUI_COMMAND, "mcp", "--max-minutes", "30", "--max-runs", "4", "--runs", str(runs)]
    environment = {
        name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "OMP_NUM_THREADS")
    }
    server = StdioServerParameters(
        command=command[0],
        args=command[1:],
        cwd=tmp_path,
        env=environment | {"TUI_CONFIG": str(tmp_path / "c.json")},
    )
    client = Client(stdio_client(server), client_info=Implementation(name="a client", version="1"))
    async with client:

        async def ask(tool: str, **arguments: Any) -> dict[str, Any]:
            found = await client.call_tool(tool, arguments)
            assert not found.is_error, found.content
            values = found.structured_content
            assert isinstance(values, dict)
            assert values["v"] == 1
            return values

        async def refused(tool: str, **arguments: Any) -> str:
            found = await client.call_tool(tool, arguments)
            assert found.is_error
            (part,) = found.content
            assert part.type == "text"
            assert "\n" not in part.text
            return part.text

        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        names = (await ask("start_run", settings=SMALL, seeds=2, minutes=20, why="a try"))["runs"]
        for name in names:
            while (run := await ask("show_run", run=name, wait_seconds=50))["status"] in (
                "preparing",
                "running",
            ):
                pass
            assert run["status"] == "completed", run
            assert run["evaluation"].keys() == {"validation"}
        history = await ask("metric_history", run=names[0])
        assert history["curves"]["validation loss"]["x"] == [1, 2, 3]
        compared = await ask("compare_runs", runs=names, each=True)
        assert compared["split"] == "validation"
        assert all("accuracy" in run["intervals"] for run in compared["runs"])
        assert "evaluation.test is locked" in await refused(
            "start_run", settings=SMALL | {"evaluation.test": "end"}
        )
        assert "Ask for at most 2" in await refused(
            "tune", search=["lr=log:1e-3..1"], settings=SMALL, trials=3
        )
        assert "wait_seconds" in await refused("show_run", run=names[0], wait_seconds=1000)
        (long,) = (await ask("start_run", settings=SMALL | {"epochs": 1_000_000}, minutes=8))["runs"]
        until(lambda: summarise(Run(runs / long)).epoch)
        assert (await ask("stop", target=long))["to"] == long
        until(lambda: summarise(Run(runs / long)).status == "stopped")
        done = summarise(Run(runs / long)).epoch
        assert (await ask("resume_run", run=long, minutes=8))["runs"] == [long]
        told = await ask("session")
        assert [call["ok"] for call in told["calls"]].count(False) == 3
        assert told["calls"][0]["client"] == "a client"
        assert told["runs_left"] == 0

    # The server is gone, and what it started goes on, until the user stops it.
    until(lambda: summarise(Run(runs / long)).epoch > done)
    session = some(current_session(runs))
    assert any(grant.alive for grant in grants_of(session))
    stop_session(session)
    until(lambda: not any(grant.alive for grant in grants_of(session)))
    assert summarise(Run(runs / long)).status == "stopped"
    assert Run(runs / long).checkpoint_file("last").is_file()
    assert left(session).minutes > 0


STUBBORN = """
import os, signal, sys, time
from pathlib import Path
from core.runs.agents import guard
from core.runs.agents.grants import take
from core.runs.agents.session import Budget, open_session
guard.SAVE_SHARE = 0.9
signal.signal(signal.SIGTERM, lambda number, frame: print("asked to save", flush=True))
session = open_session(Path(sys.argv[1]), Budget(60, 10))
os.environ[guard.GRANT] = str(take(session, 0.05, 1, client="test", tool="start_run").folder)
guard.guard_this_process()
while True:
    time.sleep(0.01)
"""
"""A process that does not end when it is asked to."""


def test_a_process_ends_at_its_deadline_without_a_server(tmp_path: Path) -> None:
    """It is asked to save first, and killed where it does not end: nothing else watches it."""
    command = [sys.executable, "-c", STUBBORN, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    (grant,) = grants_of(open_session(tmp_path, Budget(60, 10)))
    assert told.returncode in (-signal.SIGKILL, -signal.SIGALRM), told.stderr
    assert told.stdout == "asked to save\n"
    assert "stopped: its 0.05 minutes are over" in told.stderr
    assert time.time() >= grant.deadline - 0.1
    assert not grant.alive
    assert 0 < grant.used.minutes <= 0.05
