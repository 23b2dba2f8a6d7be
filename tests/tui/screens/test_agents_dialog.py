"""The dialog of agents: what is left, every call, and the way to stop them and to allow them again."""

from pathlib import Path

from textual.app import App

from core.runs.agents.calls import AgentCall, note_call
from core.runs.agents.grants import take
from core.runs.agents.session import Budget, current_session, open_session
from tests.support.narrow import some
from tests.support.screen import screen_text
from tests.support.waiting import until
from tui.app.modes import stylesheet
from tui.screens.agents_dialog import AgentsDialog, agents_note


async def test_calls_are_shown_and_agents_stopped(tmp_path: Path) -> None:
    assert agents_note(tmp_path) == ""
    session = open_session(tmp_path, Budget(60, 10))
    take(session, 20, 2, client="editor", tool="start_run").started(["2026-01-01_0000_iris-mlp_abc", "other"])
    note_call(session, AgentCall(1.0, "editor", "list_runs", "", "", "4 runs"))
    last = AgentCall(
        2.0, "cla\x1bude", "start_run", "data: iris", "is it [b]enough[/b]?", "test is locked", ok=False
    )
    note_call(session, last)
    assert agents_note(tmp_path) == "agents: 1 at work, A shows"

    class Showing(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(AgentsDialog(tmp_path))

    async with Showing().run_test(size=(80, 24)) as pilot:
        app = pilot.app

        def shows(*texts: str) -> bool:
            return all(text in screen_text(app) for text in texts)

        await until(pilot, lambda: shows("40.0 of 60 minutes and 8 of 10 runs are left", "4 runs"))
        assert shows("iris-mlp_abc and 1 more run", "✗ test is locked", "is it [b]enough[/b]?", "Stop agents")
        assert not shows("Allow agents")
        await pilot.press("s")
        await until(pilot, lambda: shows("stopped: nothing starts until you allow it", "Allow agents again"))
        assert some(current_session(tmp_path)).stopped
        assert agents_note(tmp_path) == "agents stopped, A shows"
        await pilot.press("a")
        await until(pilot, lambda: shows("No agent has worked in this folder"))
        assert current_session(tmp_path) is None
