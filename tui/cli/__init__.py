"""The command line: one module per command. Heavy imports stay inside the command that needs them."""

import errno
import os
import signal
import sys
from contextlib import suppress
from io import TextIOWrapper

from core.errors import TorchtuiError
from core.remedies import worded
from core.torchrun import is_launched
from tui.cli.failures import as_error, ensure_current_folder, report_as_json, report_end_as_json
from tui.cli.opening import open_app
from tui.forms.remedies import command_line_words
from tui.runtime.streams import open_closed_streams, result_stream

__all__ = ["main"]


def main() -> None:
    """Run the command line; exits with the documented code.

    0 completed, 1 failed or diverged, 2 wrong usage or configuration, 130 after Ctrl-C, 138 after SIGUSR1, 141 when
    nobody reads its output any more, 143 after SIGTERM.
    """
    open_closed_streams()
    if is_launched():
        from core.processes.labels import label_output

        label_output()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # print "?" rather than fail where the encoding lacks a character
    try:
        try:
            ensure_current_folder()
            _keep_to_grant()
            if _asks_for_app():
                open_app()
            else:
                from tui.cli.commands.all import app

                app()
        finally:
            _flush()
    except TorchtuiError as error:
        sys.exit(_report(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        report_as_json("Interrupted", "interrupted", 130)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(_leave_unread())
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer and rich exited, with 1
            sys.exit(_leave_unread())
        report_end_as_json(end)
        raise
    except Exception as error:
        reported = as_error(error)
        if reported is None:
            report_as_json(type(error).__name__, str(error), 1)
            raise
        sys.exit(_report(reported))


def _keep_to_grant() -> None:
    """Bind this process to the minutes that an agent has started it with, if one did.

    Raises:
        RunError: they are over, or not known.
    """
    if "TUI_GRANT" in os.environ:
        from core.runs.agents.guard import guard_this_process

        guard_this_process()


def _flush() -> None:
    """Write what is left of the output, while it can still be told that it cannot be written.

    Raises:
        OSError: that is so; not when the terminal is gone, since then nobody is there.
    """
    try:
        result_stream().flush()
    except OSError as error:
        _drop_output()
        if error.errno != errno.EIO:
            raise


def _drop_output() -> None:
    """Let what standard output still holds vanish: the interpreter's last flush succeeds then."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), result_stream().fileno())


def _leave_unread() -> int:
    """Drop the output that nobody reads any more, and return the exit code."""
    _drop_output()
    return 128 + signal.SIGPIPE


def _report(error: TorchtuiError) -> int:
    """Print what went wrong, if that is possible, and return the exit code."""
    with suppress(OSError):
        for line in error.trace.splitlines():
            print(_clean(line), file=sys.stderr)
        print(f"error: {_clean(error.worded(command_line_words))}", file=sys.stderr)
        choices: list[str] = []
        if getattr(error, "candidates", ()):
            from tui.forms.targets import target_help

            choices = target_help(error)  # type: ignore[arg-type] # it has candidates
            print("\n".join(choices), file=sys.stderr)
        report_as_json(
            type(error).__name__,
            error.message,
            error.exit_code,
            hint=worded(error.hint, command_line_words),
            choices=choices,
        )
    return error.exit_code


def _asks_for_app() -> bool:
    """Return whether `tui` has no arguments: the app is painted before Typer and pydantic would read none."""
    completes = any(name.endswith("TUI_COMPLETE") for name in os.environ)
    return len(sys.argv) == 1 and not completes


def _clean(text: str) -> str:
    from tui.terminal.text import clean

    return clean(text)
