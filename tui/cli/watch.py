"""`tui watch` and `tui stop`: reach a run that any process trains."""

from typing import Annotated

import typer

from core.runs.folder import default_runs_dir, find_run
from core.runs.requests import send
from tui.cli.app import RunsOption, open_app

__all__ = ["stop", "watch"]

RUN_HELP = "An id, a unique part of one, `latest`, or a path."


def watch(
    run: Annotated[str, typer.Argument(help=RUN_HELP)] = "latest",
    runs: RunsOption = None,
) -> None:
    """Follow a run live, whichever process trains it.

    Example: tui watch latest
    """
    found = find_run(runs or default_runs_dir(), run)
    open_app(runs=runs, data_root=None, follow=found)


def stop(
    run: Annotated[str, typer.Argument(help=RUN_HELP)],
    runs: RunsOption = None,
) -> None:
    """Ask the process that trains a run to save and end.

    Example: tui stop latest
    """
    from tui.text import clean

    found = find_run(runs or default_runs_dir(), run)
    send(found, "stop")
    print(f"asked {clean(found.id)} to save and end")
