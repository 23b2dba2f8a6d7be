"""Full garbage collections while nobody types: one takes 0.1 to 0.3 s, in which no key is answered.

Python runs one after a dozen changes of the mode, whenever the objects that are kept have grown by a quarter.
Collections of young objects take a millisecond and go on as they do.
"""

import gc
import time

__all__ = ["LOOK_SECONDS", "IdleGarbage"]

LOOK_SECONDS = 1.0
IDLE_SECONDS = 1.5
"""Since the last key or move of the mouse, after which nobody types."""
NEVER = 1_000_000
LEAST, MOST = 10, 200
"""Collections of the middle generation, each after about 7,000 new objects, before a full one is worth it; and after
which it waits no longer."""
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
        gc.collect()
        ended = time.monotonic()
        self._next = ended + (ended - begun) / SHARE
        return True
