"""`tui mcp`, which serves tools to an agent, and `tui agents`, by which the user looks after agents."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.errors import DependencyError, InputError, RunError
from core.runs.agents.calls import calls_of
from core.runs.agents.grants import grants_of, left
from core.runs.agents.session import Budget, Session, allow_again, current_session, open_session
from core.runs.folder import default_runs_dir
from tui.cli.app import DataRootOption, RunsOption
from tui.cli.json_option import JsonOption
from tui.cli.lazy import Command, Group
from tui.runtime.user_queue.leaving import stop_agents

__all__ = ["agents", "mcp"]

agents = typer.Typer(
    cls=Group,
    help="Show what agents do, stop them, or allow them again.\n\nExample: tui agents",
    invoke_without_command=True,
)


def mcp(
    max_minutes: Annotated[
        float,
        typer.Option(
            "--max-minutes", min=0, metavar="N", help="Minutes of work in a day, summed over all runs."
        ),
    ] = 60,
    max_runs: Annotated[
        int, typer.Option("--max-runs", min=0, metavar="N", help="Runs in a day; each trial counts.")
    ] = 20,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--files",
            metavar="DIR",
            help="Folder whose files agents may name, such as data; repeatable.",
            show_default="the current folder",
        ),
    ] = None,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Serve tools to an agent (MCP): list, compare, start, stop, tune, within a budget.

    An agent's program starts it, see docs/agents.md. The test split is locked, and nothing is deleted.

    Example: tui mcp --max-minutes 30 --max-runs 10
    """
    from tui.cli.agents.agent import Place

    try:
        from tui.cli.agents.server import server_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise DependencyError(
            "mcp: the mcp package is not installed", 'pip install "torchtui[mcp]"'
        ) from None
    where = (runs or default_runs_dir()).resolve()
    folders = tuple(folder.expanduser().resolve() for folder in files or [Path()])
    if files is None and folders == (Path("/"),):  # where some clients start their servers
        folders = ()
    for folder in folders:
        if not folder.exists():
            raise InputError(f"--files: {folder} is not there", "Give a folder whose files agents may name")
    place = Place(where, data_root, folders, Budget(max_minutes, max_runs))
    open_session(where, place.limits)  # whatever keeps it from being written is told now
    if sys.stdin.isatty():
        print("serving an agent on standard input; Ctrl-C ends it", file=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a thread that waits for input survives KeyboardInterrupt
    server_of(place).run("stdio")


@agents.callback()
def show(
    context: typer.Context,
    as_json: JsonOption = False,
    runs: RunsOption = None,
) -> None:
    """Show the session of agents: what is left of its budget, what runs, and every call.

    Example: tui agents --json
    """
    if context.invoked_subcommand is not None:
        context.obj = runs
        return
    session = current_session(runs or default_runs_dir())
    if as_json:
        _print_document(session)
    elif session is None:
        print("no agent has worked here in the last day")
    else:
        _print(session)


@agents.command(cls=Command)
def stop(context: typer.Context, as_json: JsonOption = False, runs: RunsOption = None) -> None:
    """Stop all that agents have started: it is saved, and nothing more starts until you allow it.

    Example: tui agents stop
    """
    session = _session(runs or context.obj)
    left_queue = stop_agents(session)
    if as_json:
        _print_document(session)
        return
    print(f"agents are stopped{_being_saved(session, left_queue)}; `tui agents allow` lets them start again")


@agents.command(cls=Command)
def allow(context: typer.Context, as_json: JsonOption = False, runs: RunsOption = None) -> None:
    """Allow agents again, with a whole new budget.

    Example: tui agents allow
    """
    allow_again(_session(runs or context.obj))
    if as_json:
        _print_document(None)
        return
    print("agents may start runs again, with a new budget")


def _session(runs: Path | None) -> Session:
    session = current_session(runs or default_runs_dir())
    if session is None:
        raise RunError("no agent has worked here in the last day", "`tui mcp` serves one")
    return session


def _print_document(session: Session | None) -> None:
    from tui.headless.documents.agents import session_document
    from tui.headless.documents.envelope import print_document

    print_document(session_document(session))


def _being_saved(session: Session, left_queue: Sequence[str]) -> str:
    """Return what is being saved now, and what waits no more."""
    going = [name for grant in grants_of(session) if grant.alive for name in grant.targets]
    going = [name for name in going if name not in left_queue]
    saved = f"; {', '.join(going)} {'is' if len(going) == 1 else 'are'} being saved" if going else ""
    return f"{saved}; {', '.join(left_queue)} left the queue" if left_queue else saved


def _print(session: Session) -> None:
    import time

    from tui.terminal.text import age, clean

    have, limits = left(session), session.limits
    if session.stopped:
        print("stopped by the user: nothing starts; `tui agents allow` allows agents again")
    print(f"left  {have.minutes:.1f} of {limits.minutes:g} minutes, {have.runs} of {limits.runs} runs")
    for grant in grants_of(session):
        if grant.alive:
            seconds = max(grant.deadline - time.time(), 0)
            print(
                clean(
                    f"runs  {', '.join(grant.targets) or grant.tool}: at most {age(seconds)} more, for {grant.client}"
                )
            )
    for call in calls_of(session):
        mark = "" if call.ok else "refused: "
        why = f" ({call.why})" if call.why else ""
        print(
            clean(
                f"{age(time.time() - call.time):>6} ago  {call.client}  {call.tool}{why}  {mark}{call.result}"
            )
        )
