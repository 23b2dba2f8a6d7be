"""`tui` without a command: the app; and the options that many commands share."""

from pathlib import Path
from typing import Annotated

import typer

from tui.cli.opening import open_app

__all__ = ["DataRootOption", "RunsOption", "TrustOption", "opens_app"]

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
