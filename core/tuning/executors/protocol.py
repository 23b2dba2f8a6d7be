"""Messages between a study and the workers that train its trials."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["Ended", "Message", "OnEpoch", "Outcome", "Reported", "Resources", "TrialTask", "Waits"]

OnEpoch = Callable[[int, float | None], bool]
"""Called with the epochs done and the metric after each epoch; returns False if the trial should stop."""


@dataclass(frozen=True)
class TrialTask:
    """One trial to train, in a run folder that is there with its configuration.

    Attributes:
        config: nested plain values. run: absolute path of the run's folder.
        threads: the most threads it may compute with.
        code: digests of the user's programs that it may run, see `core.runs.code.agreed_code`.
        waits: whether it waits after each epoch for permission to continue.
        weighed: names of other numbers that it reports at its end: costs and metrics.
    """

    trial: int
    config: dict[str, Any]
    run: Path
    metric: str
    threads: int
    waits: bool
    data_root: Path | None
    code: tuple[str, ...] = ()
    weighed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """End of a trial in its worker.

    Attributes:
        state: ``stopped`` when someone else than the pruner asked for it.
        value: the metric at the best epoch; None when no epoch was finished.
        epochs: done, over all sessions.
        reason: one line; empty for a trial that completed.
        seconds: in its worker, pauses left out.
        costs: the other numbers that were asked for, by name.
    """

    state: Literal["completed", "pruned", "stopped", "diverged", "failed"]
    value: float | None = None
    epochs: int = 0
    reason: str = ""
    seconds: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reported:
    """A trial has finished an epoch; when its task waits, it waits for an answer now."""

    trial: int
    epoch: int
    value: float | None


@dataclass(frozen=True)
class Ended:
    """A trial has ended, or its worker has."""

    trial: int
    outcome: Outcome


@dataclass(frozen=True)
class Waits:
    """Trials wait for what the executor has not free now; `reason` is one line."""

    reason: str


@dataclass(frozen=True)
class Resources:
    """Change of what the executor has free, or of who waits for it.

    Attributes:
        free: in a few words.
        needs: of each trial, in a few words.
        waiting: numbers of the trials that wait for that.
    """

    free: str
    needs: str = ""
    waiting: tuple[int, ...] = ()


Message = Reported | Ended | Waits | Resources
