"""Full garbage collections while nobody types: one takes 0.1 to 0.3 s, in which no key is answered.

Python runs one after a dozen changes of the mode, whenever the objects that are kept have grown by a quarter.
Collections of young objects take a millisecond and go on as they do.

A collection takes the longer the more there is to look through. So modules are frozen after one, and the garbage of a
few changes of the mode is collected in the pause after the last of them, which takes less than a tenth of a second.
"""

import gc
import time

from core.session.garbage import are_modules_frozen, freeze_garbage_collector

__all__ = ["LOOK_SECONDS", "PAUSE_SECONDS", "IdleGarbage"]

LOOK_SECONDS = 1.0
IDLE_SECONDS = 1.5
"""Since the last key or move of the mouse, after which nobody types."""
PAUSE_SECONDS = 0.15
"""Since a change of the mode, after which its frame is there."""
NEVER = 1_000_000
FEW, LEAST, MOST = 5, 10, 200
"""Collections of the middle generation, each after about 7,000 new objects, after which a full one is worth the pause
after a change of the mode (three or four changes), is worth it at rest, and waits no longer."""
SHARE = 0.01
"""Of the time that full collections take at most, so that they hold up no training."""


class IdleGarbage:
    """Decides when to collect all garbage."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._next = 0.0

    def start(self) -> None:
        """Leave full collections to `look`."""
        self._usual = gc.get_threshold()
        gc.set_threshold(*self._usual[:2], NEVER)

    def stop(self) -> None:
        """Leave them to Python again."""
        gc.set_threshold(*self._usual)

    def look(self, last_input: float) -> bool:
        """Collect all garbage if it is time; return whether it was.

        Args:
            last_input: when the last key was pressed, in seconds of `time.monotonic`.
        """
        begun, waiting = time.monotonic(), gc.get_count()[2]
        is_idle = begun - last_input >= IDLE_SECONDS and begun >= self._next
        if waiting < LEAST or not (is_idle or waiting >= MOST):
            return False
        self._collect()
        return True

    def look_in_pause(self, last_input: float) -> bool:
        """Collect the garbage of a few changes of the mode, unless a key came since or it would take long."""
        is_pause = time.monotonic() - last_input >= PAUSE_SECONDS
        if gc.get_count()[2] < FEW or not is_pause or not are_modules_frozen():
            return False
        self._collect()
        return True

    def _collect(self) -> None:
        begun = time.monotonic()
        gc.collect()
        freeze_garbage_collector()
        ended = time.monotonic()
        self._next = ended + (ended - begun) / SHARE
