"""The locks of runs that wait for their turn, which nothing else starts, and lists show as being prepared."""

import os
from contextlib import ExitStack, suppress

from core.errors import TorchtuiError
from core.runs.folder import Run
from core.runs.lock import HANDED_OVER, hold

__all__ = ["HeldRun"]


class HeldRun(ExitStack):
    """The lock of a run; none where another process has it, which may have ended when it is its turn."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.lock: int | None = None
        with suppress(TorchtuiError):
            self.lock = self.enter_context(hold(run))

    def hand_over(self) -> None:
        """Let the training that this process starts next take the lock over, see `HANDED_OVER`."""
        if self.lock is not None:
            os.environ[HANDED_OVER] = str(os.dup(self.lock))
        self.close()
