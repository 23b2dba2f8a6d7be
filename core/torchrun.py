"""One of several processes of a run: what ``torchrun``, or our launcher, leaves in its environment, and its end.

Both start all processes again after one was lost; such a start is told from the first by the same variables.
"""

import atexit
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]  # no name of its list

__all__ = [
    "STARTED_WITH",
    "agent_store",
    "ends_without_finalizing",
    "is_first",
    "is_launched",
    "keeps_store",
    "launch_id",
    "launched_processes",
    "met",
    "own_part",
    "restarts_done",
    "restarts_left",
]

STARTED_WITH = "TUI_STARTED_WITH"
"""Names, to each process of our launcher, the options of the command that start as many again."""
STORE_TIMEOUT = timedelta(minutes=5)
POLL_SECONDS = 0.02


def is_launched() -> bool:
    """Return whether this is one of several processes that ``torchrun`` started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def launched_processes() -> int:
    """Return how many processes train together; 1 if this one is alone."""
    return int(os.environ["WORLD_SIZE"]) if is_launched() else 1


def is_first() -> bool:
    """Return whether this is the only process, or the first of several."""
    return not is_launched() or int(os.environ["RANK"]) == 0


def launch_id() -> str:
    """Return what tells this launch from others, the same in each of its processes and restarts; empty if nothing does.

    Launches without ``--rdzv-id`` are all called ``none``.
    """
    name = os.environ.get("TORCHELASTIC_RUN_ID", "")
    return "" if name == "none" else name


def keeps_store() -> bool:
    """Return whether the first agent of ``torchrun`` has the store of the processes, and keeps it for the next ones."""
    return is_launched() and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"


def agent_store() -> "Store | None":
    """Return the store that the first agent of ``torchrun`` keeps; None if there is none."""
    if not keeps_store():
        return None
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # no name of its list

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return own_part(TCPStore(address, port, is_master=False, timeout=STORE_TIMEOUT))


def own_part(store: "Store") -> "Store":
    """Return what this launch keeps in a store; others have it too, where they name the same ``--rdzv-endpoint``."""
    from torch.distributed import PrefixStore  # type: ignore[attr-defined]  # no name of its list

    return PrefixStore(f"torchtui/{os.environ.get('TORCHELASTIC_RUN_ID', '')}", store)


def met(store: "Store", rank: int, size: int) -> str:
    """Return a name that the processes of this attempt share, and no others; blocks until all are there.

    The first process answers whatever it finds, also what a process has left that is gone; each of the others waits
    for an answer to itself, and joins. How often they were started again does not tell attempts apart: the agents of
    two machines count differently.
    """
    own = uuid.uuid4().hex
    if rank:
        store.set(f"here/{rank}", own)
        name: str = store.get(f"answer/{own}").decode()
        store.set(f"joined/{name}/{rank}", "")
        return name
    missing, answered = set(range(1, size)), set[str]()
    while missing:
        for other in missing:
            if store.check([f"here/{other}"]):
                asking = store.get(f"here/{other}").decode()
                if asking not in answered:
                    store.set(f"answer/{asking}", own)
                    answered.add(asking)
        missing = {other for other in missing if not store.check([f"joined/{own}/{other}"])}
        time.sleep(POLL_SECONDS if missing else 0.0)
    return own


def restarts_done() -> int:
    """Return how often the processes of this launch were started again."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def restarts_left() -> int:
    """Return how often they may still be."""
    return int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0")) - restarts_done()


@contextmanager
def ends_without_finalizing() -> Iterator[None]:
    """Context manager after which the process ends with its exit code, but the interpreter is not taken apart.

    The threads of PyTorch's process groups outlive the groups. One that gives back a tensor while the interpreter
    is finalized aborts the process (SIGABRT), and the run has failed in the eyes of ``torchrun``. What is
    registered with `atexit` inside the block runs as usual.
    """
    code = 0

    def end() -> None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(code)

    atexit.register(end)  # before all others, hence the last to run
    try:
        yield
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        raise
    except BaseException:
        code = 1
        raise
