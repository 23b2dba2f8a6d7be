"""`tui` without a command: the app."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import InputError

if TYPE_CHECKING:
    from core.interop.readers.following import ForeignLog
    from core.runs.folder import Run

__all__ = ["DataRootOption", "RunsOption", "TrustOption", "open_app", "opens_app"]

RunsOption = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", envvar="TUI_RUNS", help="Folder of runs.", show_default="./runs"),
]
DataRootOption = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        metavar="DIR",
        envvar="TUI_DATA",
        help="Folder for downloaded datasets.",
        show_default="the platform's cache folder",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-code", help="Allow Python files that are named only by a run or a configuration file."
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"torchtui {version('torchtui')}")
        raise typer.Exit


def opens_app(
    context: typer.Context,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From hyper-parameters to evaluation of PyTorch models in the terminal. Without a command it opens the app."""
    if context.invoked_subcommand is None:
        open_app(runs=runs, data_root=data_root)


def open_app(
    *,
    runs: Path | None = None,
    data_root: Path | None = None,
    values: dict[str, Any] | None = None,
    start: bool = False,
    name: str = "",
    follow: "Run | ForeignLog | None" = None,
) -> None:
    """Open the app.

    Args:
        runs, data_root: by default what the environment names, as the options do.
        values: nested values to fill the form with.
        start: start training at once. name: what the user calls the run that is started.
        follow: a run, or the log of another tool, to show live.

    Raises:
        InputError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        without = "tui train --no-ui [options]" if follow is None else "tui watch RUN --json"
        raise InputError("the app needs a terminal, and this is not one", f"Without one: {without}")
    if os.environ.get("TERM") == "dumb" and "TEXTUAL_DRIVER" not in os.environ:
        raise InputError(
            "the app needs a terminal that can move its cursor, and TERM is dumb",
            "Set TERM to what yours is, such as xterm-256color; or without the app: tui train --no-ui [options]",
        )
    from tui.terminal.graphics import ask_for_graphics

    ask_for_graphics(meanwhile=lambda: import_module("tui.app.app"))
    from tui.app.app import TuiApp
    from tui.app.hangup import ignore_late_hangup, survive_hangup
    from tui.runtime.capture import Capture
    from tui.terminal.text import clean

    with Capture() as capture:
        app = TuiApp(
            runs_dir=runs,
            data_root=data_root,
            values=values,
            start=start,
            name=name,
            follow=follow,
            capture=capture,
        )
        survive_hangup(
            app, capture
        )  # before input is read: its end is a hang-up even where SIGHUP was ignored
        try:
            app.run()
        finally:
            ignore_late_hangup()
            if app.training_here:  # it ended without having been asked to; the run must not
                capture.tell(clean(app.detach()))
    app.keep_printed(to_the_end=True)
    if app.return_code:
        sys.exit(app.return_code)
