"""`tui serve`: the app in a browser."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import DependencyError
from core.safe_path import TUI_COMMAND
from tui.cli.app import DataRootOption, RunsOption

__all__ = ["serve"]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 127.0.0.1 is reachable from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8000,
    path: Annotated[
        Path | None,
        typer.Option(
            "--socket",
            metavar="PATH",
            help="Listen on a Unix socket that only you may open, in place of a port: ssh -L 8000:PATH HOST.",
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address that people open, when it is another one, as behind a proxy.")
    ] = None,
    runs: RunsOption = None,
    data_root: DataRootOption = None,
) -> None:
    """Open the app in a browser: each page has its own app. Only the printed address opens it.

    Example: tui serve --port 8080
    """
    try:
        from tui.app.web_server import AppServer, is_loopback
    except ImportError:
        raise DependencyError(
            "tui serve: textual-serve is not installed", 'pip install "torchtui[serve]"'
        ) from None
    from tui.app.web_sockets import port_sockets, unix_socket

    command, url = _command(runs, data_root), url.rstrip("/") if url else None
    if path is not None:
        with unix_socket(path) as listening:
            print(f"elsewhere: ssh -L 8000:{path.expanduser().absolute()} HOST", flush=True)
            AppServer(command, [listening], url).serve()
        return
    if not is_loopback(host):
        print(
            f"warning: what goes to {host} is not encrypted: whoever reads it on its way can train, read and delete "
            f"runs as you. Safer: tui serve --socket ~/tui.sock there, and ssh -L 8000:SOCKET HOST here",
            file=sys.stderr,
        )
    with port_sockets(host, port) as sockets:
        AppServer(command, sockets, url).serve()


def _command(runs: Path | None, data_root: Path | None) -> str:
    """Return the command that starts the app, for a shell that becomes it."""
    words = [*TUI_COMMAND]
    for flag, folder in (("--runs", runs), ("--data-root", data_root)):
        if folder is not None:
            words += [flag, str(folder.resolve())]
    return f"TEXTUAL_DRIVER=tui.app.web_driver:ClientDriver exec {shlex.join(words)}"
