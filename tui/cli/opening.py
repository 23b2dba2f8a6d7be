"""Opening the app in this terminal, without Typer, for which the first paint would wait."""

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    from core.interop.readers.following import ForeignLog
    from core.runs.folder import Run

__all__ = ["open_app"]


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
    encoding = sys.stdout.encoding or "utf-8"
    if encoding.lower().replace("-", "") != "utf8" and "TEXTUAL_DRIVER" not in os.environ:
        raise InputError(
            f"the app needs UTF-8 for its frames and charts, and the characters of this terminal are {encoding}",
            "Set a UTF-8 locale, such as LC_ALL=C.UTF-8; or without the app: tui train --no-ui [options]",
        )
    gc.disable()  # what is imported stays; on again with the first screen
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
