"""A process that ends in the middle of something, by SIGKILL or as after it: nothing is cleaned up."""

import os
import signal
import traceback
from collections.abc import Callable
from tempfile import TemporaryFile
from typing import NoReturn

__all__ = ["die", "in_a_killed_process"]

KILLED = 9


def die(*arguments: object) -> NoReturn:
    """End this process at once."""
    os._exit(KILLED)


def in_a_killed_process(act: Callable[[], object]) -> None:
    """Call `act` in a fork, which ends at its end, or where it dies or is killed; no thread may hold what it needs."""
    with TemporaryFile("w+") as failure:
        process = os.fork()
        if not process:
            try:
                act()
                die()
            except BaseException:
                traceback.print_exc(file=failure)
                failure.flush()
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        failure.seek(0)
        assert code in (KILLED, -signal.SIGKILL), failure.read()
