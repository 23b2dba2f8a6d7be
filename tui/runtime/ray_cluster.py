"""Resources that are free on a Ray cluster, asked by a process of its own: whoever is connected to one dies with it."""

import subprocess
import sys
import time
from collections.abc import Callable

from core.errors import RunError

__all__ = ["ask_cluster"]

SECONDS = 60.0
LOOK_SECONDS = 0.1
"""How often it is looked whether the answer is still wanted."""
CODE = """\
import sys
sys.path[:] = {path!r}
from core.errors import TorchtuiError
from core.tuning.executors.ray_executor import free_resources
try:
    print(free_resources({address!r}))
except TorchtuiError as error:
    print(error.message)
    sys.exit(3)
"""
REFUSED = 3


def ask_cluster(address: str, should_stop: Callable[[], bool]) -> str:
    """Return how much of a cluster is free, such as ``3 of 4 CPUs and 0 of 1 GPU free``; empty once it is stopped.

    Args:
        address: of the cluster; empty for the one that runs here.
        should_stop: asked meanwhile; once it is true nobody waits for the answer.

    Raises:
        RunError: there is none, or it does not answer.
    """
    command = [sys.executable, "-P", "-c", CODE.format(path=sys.path, address=address or "auto")]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    deadline = time.monotonic() + SECONDS
    with process:
        try:
            while process.poll() is None:
                if should_stop():
                    return ""
                if time.monotonic() > deadline:
                    raise RunError(f"Ray does not answer: it was waited for {SECONDS:.0f} seconds")
                time.sleep(LOOK_SECONDS)
            printed = process.communicate()[0].strip().rpartition("\n")[2]
        finally:
            process.kill()
    if process.returncode:
        raise RunError(printed if process.returncode == REFUSED else "Ray cannot be asked what is free")
    return printed
