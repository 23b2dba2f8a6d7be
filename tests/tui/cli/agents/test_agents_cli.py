"""`tui agents` shows what agents do, stops them and allows them again; `tui mcp` needs its extra."""

import json
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest

from core.runs.agents.calls import AgentCall, note_call
from core.runs.agents.grants import take
from core.runs.agents.session import Budget, open_session
from tests.tui.cli.conftest import Tui


def test_a_session_is_shown_stopped_and_allowed_again(tui: Tui) -> None:
    assert "no agent has worked here" in tui("agents").out
    session = open_session(Path("runs"), Budget(60, 10))
    take(session, 20, 2, client="editor", tool="start_run").started(["iris-mlp_abc"])
    note_call(
        session, AgentCall(0.0, "cla\x1b[2Jude", "start_run", "data: iris", "a try", "started iris-mlp_abc")
    )
    told = tui("agents").out
    assert "40.0 of 60 minutes, 8 of 10 runs" in told
    assert "iris-mlp_abc" in told
    assert "(a try)" in told
    assert "\x1b" not in told
    values = json.loads(tui("agents --json").out)
    assert (values["minutes_left"], values["runs_left"], values["stopped"]) == (40, 8, False)
    assert values["calls"][0]["why"] == "a try"
    assert "iris-mlp_abc is being saved" in tui("agents stop").out
    assert "stopped by the user" in tui("agents").out
    assert "with a new budget" in tui("agents allow").out
    assert tui("agents stop").code == 2
    assert open_session(Path("runs"), Budget(60, 10)).folder != session.folder


def test_without_the_extra(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("mcp", "mcp_types")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "tui.cli.agents.server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    answer = tui("mcp")
    assert answer.code == 2
    assert answer.err == 'error: mcp: the mcp package is not installed. pip install "torchtui[mcp]"\n'


def test_ctrl_c_ends_a_server_that_waits_for_input(tui: Tui, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = []

    class Serving:
        def run(self, transport: str) -> None:
            handlers.append(signal.getsignal(signal.SIGINT))

    stand_in = ModuleType("tui.cli.agents.server")
    monkeypatch.setattr(stand_in, "server_of", lambda place: Serving(), raising=False)
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    before = signal.getsignal(signal.SIGINT)
    try:
        assert tui("mcp").code == 0
    finally:
        signal.signal(signal.SIGINT, before)
    assert handlers == [signal.SIG_DFL]


def test_a_folder_of_files_that_is_not_there(tui: Tui) -> None:
    pytest.importorskip("mcp")
    answer = tui("mcp --files nothere")
    assert answer.code == 2
    assert "nothere is not there. Give a folder" in answer.err
    assert not Path("runs").exists()
