"""A process that ends in the middle of something, as after SIGKILL: nothing is cleaned up."""

import os
from collections.abc import Callable
from typing import NoReturn

__all__ = ["die", "in_a_killed_process"]

KILLED = 9


def die(*arguments: object) -> NoReturn:
    """End this process at once."""
    os._exit(KILLED)


def in_a_killed_process(act: Callable[[], object]) -> None:
    """Call `act` in a fork, which ends at its end, or where it calls `die`; no thread may hold what it needs."""
    process = os.fork()
    if not process:
        try:
            act()
            die()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == KILLED
