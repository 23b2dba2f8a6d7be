"""`tui serve`: the app in a browser."""

import shlex
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import DependencyError, InputError
from core.safe_path import TUI_COMMAND
from tui.cli.app import DataRootOption, RunsOption

__all__ = ["serve"]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 127.0.0.1 is reached from this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    url: Annotated[
        str | None, typer.Option(help="Address that people open, when it is another one, as behind a proxy.")
    ] = None,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Open the app in a browser: each page has an app of its own.

    Example: tui serve --port 8080
    """
    try:
        from tui.app.web_server import AppServer, is_loopback
    except ImportError:
        raise DependencyError(
            "tui serve: textual-serve is not installed", 'pip install "torchtui[serve]"'
        ) from None
    port = _free_port(host, port)
    if not is_loopback(host):
        print(
            f"warning: whoever reaches {host}:{port} can train, read and delete runs as you, without a password. "
            f"Safer: tui serve there, and ssh -L {port}:localhost:{port} HOST here",
            file=sys.stderr,
        )
    AppServer(_command(runs, data_root), host, port, url).serve()


def _command(runs: Path | None, data_root: Path | None) -> str:
    """What starts the app."""
    words = [*TUI_COMMAND]
    for flag, folder in (("--runs", runs), ("--data-root", data_root)):
        if folder is not None:
            words += [flag, str(folder.resolve())]
    return shlex.join(words)


def _free_port(host: str, port: int) -> int:
    """The port, or a free one in place of 0.

    Raises:
        InputError: it is taken, or the address is none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
            return int(trial.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot listen on {host}:{port}: {reason}", "Give another with --host or --port"
        ) from None
