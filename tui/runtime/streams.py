"""Standard streams that are closed, as after ``>&-`` in a shell or under some supervisors."""

import os
import sys

__all__ = ["open_closed_streams"]

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


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
