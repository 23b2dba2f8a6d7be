"""Failures of the machine, each as one sentence: output that cannot be written, a folder that is gone, full memory."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from core.errors import OutOfMemory, RunError, TorchtuiError

__all__ = ["as_error", "ensure_current_folder", "report_as_json", "report_end_as_json"]

SIGNS_OF_FULL_MEMORY = ("failed to map segment", "cannot allocate memory", "can't start new thread")
"""Parts of what the loader of libraries and Python say under `ulimit -v`."""
STATIC_TLS = "static TLS"
"""Of another shortage that the loader words alike."""


def ensure_current_folder() -> None:
    """Refuse to start in a folder that was deleted: libraries end the process there, without a word of Python.

    Raises:
        RunError: that is so.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise RunError(
            f"the current folder cannot be used: {error.strerror}", "Change to one that exists"
        ) from None


def as_error(error: Exception) -> TorchtuiError | None:
    """Return a failure of the machine or of the user's code as an error of ours; None for any other, a defect."""
    reason = str(error).partition("\n")[0]
    if isinstance(error, MemoryError) or _lacks_memory(error, reason):
        return OutOfMemory(
            f"out of memory{f': {reason}' if reason else ''}",
            "Raise the limit of memory (ulimit -v, or that of the job), or end other programs",
        )
    from core.user_code.loading import as_user_error

    told = as_user_error(error)
    if told is not None or not isinstance(error, OSError):
        return told
    place = error.filename if error.filename is not None else "a file or the output"
    return RunError(f"{place} cannot be read or written: {error.strerror or reason}")


def report_as_json(
    error: str, message: str, exit_code: int, *, hint: str = "", choices: Sequence[str] = ()
) -> None:
    """Print an error as the result of a command that was called with ``--json``; nothing of any other command.

    Args:
        error: class of the error. choices: what was meant may be one of these, a line each.
    """
    from core.torchrun import is_first

    if "--json" not in sys.argv or not is_first():
        return
    from tui.headless.documents.envelope import FailureDocument, print_document

    document = FailureDocument(
        error=error, message=message, hint=hint, exit_code=exit_code, choices=list(choices)
    )
    with suppress(OSError):
        print_document(document)


def report_end_as_json(end: SystemExit) -> None:
    """Print as JSON why Typer ended a command, which it has printed for people: wrong usage, or Ctrl-C."""
    reason = end.__context__
    message = getattr(reason, "format_message", None)  # Typer comes with Click's exceptions, or with its own
    if message is not None:
        report_as_json("UsageError", message(), 2)
    elif isinstance(reason and reason.__cause__, KeyboardInterrupt):
        report_as_json("Interrupted", "interrupted", 130)


def _lacks_memory(error: Exception, reason: str) -> bool:
    if not isinstance(error, ImportError | OSError | RuntimeError) or STATIC_TLS in reason:
        return False
    return any(sign in reason.lower() for sign in SIGNS_OF_FULL_MEMORY)
