"""Whatever a network's own training step makes of its targets: loss and numbers are those that it returns."""

from typing import ClassVar

from core.losses.base import TargetKind
from core.tasks.base import Task

__all__ = ["Custom"]


class Custom(Task):
    """Targets are as the data has them; nothing is standardised."""

    name = "custom"
    targets: ClassVar[TargetKind] = "own"
    called = "targets of a network's own"
    score = "loss"
    views = ("numbers",)
    balances = own_step = True

    def metrics(self, classes: int) -> list[str]:
        return []
