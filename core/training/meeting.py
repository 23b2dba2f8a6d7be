"""Processes of a run that find each other in a store that still knows those of an earlier attempt.

The agents of ``torchrun`` keep their store when processes are started again, and in it the addresses of those that are
gone. How often they were started again does not tell attempts apart: the agents of two machines count differently.
"""

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]  # no name of its list

__all__ = ["met"]

POLL_SECONDS = 0.02


def met(store: "Store", rank: int, size: int) -> str:
    """Return a name that the processes of this attempt share, and no others; blocks until all are there.

    The first process answers whatever it finds, also what a process has left that is gone; each of the others waits
    for an answer to itself, and joins.
    """
    own = uuid.uuid4().hex
    if rank:
        store.set(f"torchtui/here/{rank}", own)
        name: str = store.get(f"torchtui/answer/{own}").decode()
        store.set(f"torchtui/joined/{name}/{rank}", "")
        return name
    missing, answered = set(range(1, size)), set[str]()
    while missing:
        for other in missing:
            if store.check([f"torchtui/here/{other}"]):
                asking = store.get(f"torchtui/here/{other}").decode()
                if asking not in answered:
                    store.set(f"torchtui/answer/{asking}", own)
                    answered.add(asking)
        missing = {other for other in missing if not store.check([f"torchtui/joined/{own}/{other}"])}
        time.sleep(POLL_SECONDS if missing else 0.0)
    return own
