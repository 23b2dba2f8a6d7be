"""Dialog of the agents in this folder of runs: their budget, what runs, every call; and the way to stop them."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from core.errors import TorchtuiError
from core.runs.agents.calls import AgentCall, calls_of
from core.runs.agents.grants import grants_of, left
from core.runs.agents.session import Session, allow_again, current_session
from core.runs.labels import title_of
from tui.forms.remedies import error_in_app
from tui.runtime.user_queue.leaving import stop_agents
from tui.screens.dialog import Dialog
from tui.terminal.text import age, clean, counted
from tui.widgets.table import Column, Table

__all__ = ["AgentsDialog", "agents_note"]

LOOK_SECONDS = 1.0
NOBODY = (
    "No agent has worked in this folder in the last day. `tui mcp` lets one list, compare, start and tune runs within "
    "a budget; docs/agents.md says how to register it with a client."
)
COLUMNS = (Column("ago", 6), Column("client", 14, "<"), Column("tool", 14, "<"), Column("result", 0, "<"))


def agents_note(runs_dir: Path) -> str:
    """Return what a list of runs says about agents; empty where none has worked in the last day."""
    try:
        session = current_session(runs_dir)
        if session is None:
            return ""
        running = sum(grant.alive for grant in grants_of(session))
    except TorchtuiError:
        return "agents: damaged record, A shows"
    if session.stopped:
        return "agents stopped, A shows"
    if running:
        return f"agents: {running} at work, A shows"
    return "agents: A shows" if calls_of(session) else ""


class AgentsDialog(Dialog[str]):
    """Shows the session of agents while it goes on; returns the id of a run to open.

    Args:
        runs_dir: the folder of runs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,A", "dismiss", "Close"),
        Binding("s", "stop", "Stop agents"),
        Binding("a", "allow", "Allow agents again"),
    ]

    def __init__(self, runs_dir: Path) -> None:
        super().__init__()
        self.runs_dir = runs_dir
        self.session: Session | None = None
        self.calls: list[AgentCall] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -agents") as body:
            body.border_title = "agents"
            body.border_subtitle = "enter opens a call's run  esc closes"
            yield Static("", id="agents-budget", markup=False)
            yield Table(id="agents-calls")
            yield Static("", id="agents-call", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Stop agents (s)", id="stop", compact=True, variant="error")
                yield Button("Allow agents again (a)", id="allow", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)
        self.query_one(Table).focus()

    def _look(self) -> None:
        try:
            self.session = current_session(self.runs_dir)
            calls = calls_of(self.session)[::-1] if self.session is not None else []
            facts = _facts(self.session) if self.session is not None else NOBODY
        except TorchtuiError as error:
            calls, facts = [], f"✗ {error_in_app(error)}"
        table, follows = self.query_one(Table), self.query_one(Table).cursor == 0
        before = self.calls[table.cursor] if self.calls else None
        self.calls = calls
        now = time.time()
        table.show([*COLUMNS], len(calls), lambda row: _cells(self.calls[row], now))
        if before in calls and not follows:
            table.cursor = calls.index(before)
        table.display = bool(calls)
        self.query_one("#agents-budget", Static).update(Content(clean_lines(facts)))
        self.query_one("#stop").display = self.session is not None and not self.session.stopped
        self.query_one("#allow").display = self.session is not None and self.session.stopped
        self._show_call()

    @on(Table.Highlighted)
    def _show_call(self) -> None:
        """Show all of the call under the cursor."""
        table = self.query_one(Table)
        call = self.calls[table.cursor] if table.cursor < len(self.calls) else None
        lines = _in_full(call) if call is not None else []
        self.query_one("#agents-call", Static).update(Content(clean_lines("\n".join(lines))))

    @on(Table.Chosen)
    def _open(self) -> None:
        table = self.query_one(Table)
        if self.calls and self.calls[table.cursor].runs:
            self.dismiss(self.calls[table.cursor].runs[0])

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        await self.run_action("dismiss" if event.button.id == "close" else str(event.button.id))

    def action_stop(self) -> None:
        """Save and stop all that agents have started; nothing more starts."""
        if self.session is not None and not self.session.stopped:
            self._change(stop_agents, "Agents are stopped: what they started is being saved.")

    def action_allow(self) -> None:
        """Let agents start runs again, with a new budget."""
        if self.session is not None and self.session.stopped:
            self._change(allow_again, "Agents may start runs again, with a new budget.")

    def _change(self, act: Callable[[Session], object], told: str) -> None:
        assert self.session is not None
        try:
            act(self.session)
        except TorchtuiError as error:
            self.notify(clean(error_in_app(error)), severity="error", markup=False)
        else:
            self.notify(told)
        self._look()


def clean_lines(text: str) -> str:
    """Return lines without control sequences."""
    return "\n".join(map(clean, text.split("\n")))


def _facts(session: Session) -> str:
    have, limits = left(session), session.limits
    budget = (
        f"{have.minutes:.1f} of {limits.minutes:g} minutes and {have.runs} of {limits.runs} runs are left"
    )
    lines = [f"✗ stopped: nothing starts until you allow it. {budget}" if session.stopped else budget]
    for grant in grants_of(session):
        if grant.alive:
            seconds = max(grant.deadline - time.time(), 0.0)
            names = [title_of(session.folder.parent.parent / name) for name in grant.targets]
            lines.append(f"▶ {_short(names) or grant.tool}  at most {age(seconds)} more, for {grant.client}")
    return "\n".join(lines)


def _short(names: Sequence[str]) -> str:
    """Return the first of some runs, and how many there are."""
    return f"{names[0]} and {counted(len(names) - 1, 'more run')}" if len(names) > 1 else "".join(names)


def _cells(call: AgentCall, now: float) -> tuple[str, ...]:
    mark = "" if call.ok else "✗ "
    return age(now - call.time), clean(call.client), clean(call.tool), mark + clean(call.result)


def _in_full(call: AgentCall) -> list[str]:
    lines = [("why", call.why), ("asked", call.asked), ("result", call.result)]
    return [f"{name:7}{text}" for name, text in lines if text]
