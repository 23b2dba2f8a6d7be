"""Standard streams: those that are closed, as after ``>&-`` in a shell, and an output that is kept for results."""

import os
import sys
from typing import TextIO

__all__ = ["open_closed_streams", "print_result", "put_results_back", "result_stream", "set_results_apart"]

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))

_results: TextIO | None = None
"""The stream of results, once it is kept apart."""


def open_closed_streams() -> None:
    """Let what is read from or written to a closed standard stream come from and go to nowhere.

    Python has None in the place of such a stream. Its descriptor is taken, too: the next file that is opened would
    get it, and what a library writes to descriptor 1 or 2 would end up in that file.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # open to the end


def set_results_apart() -> None:
    """Keep standard output for `print_result`; from now on all else that is written to it goes to standard error.

    That is what the user's code prints, what a C library writes to descriptor 1, and what the processes that they start
    inherit. It lasts to the end of the process: what is printed on exit is not a result, either.
    """
    global _results
    if _results is not None:
        return
    _results = sys.stdout
    if _descriptor_of(sys.stdout) == 1:
        apart = os.dup(1)
        _results = open(apart, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)  # noqa: SIM115  # as above
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def put_results_back() -> None:
    """Let descriptor 1 be that of results again, for the process that takes this one's place, or that it starts."""
    if _results is not None:
        _results.flush()
        os.dup2(_results.fileno(), 1)


def result_stream() -> TextIO:
    """Return the stream that `print_result` writes to."""
    return _results or sys.stdout


def print_result(text: str) -> None:
    """Print lines to standard output at once, also when it is kept apart for them."""
    print(text, file=result_stream(), flush=True)


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # replaced by something else than a file, or closed
        return None
