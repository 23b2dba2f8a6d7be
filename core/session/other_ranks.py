"""What the processes of a run do that are not its first one; see `core.training.distributed`."""

from typing import Any

from core.control import RunControl
from core.determinism import deterministic
from core.events import RunFinished
from core.session.preparation import Prepared
from core.session.session import settle_threads
from core.training.distributed import naming_lost_processes
from core.training.engine import train
from core.training.saver import State

__all__ = ["assist"]


def assist(prepared: Prepared, *, control: RunControl, state: dict[str, Any] | None = None) -> RunFinished:
    """Train beside the first process of `prepared.group`, which calls `execute`; write nothing and tell nothing.

    Raises:
        ProcessLost: another process is gone.
        ConfigError: the batches cannot be divided.
    """
    with deterministic(prepared.config.training.deterministic), naming_lost_processes(prepared.group):
        prepared, threads = settle_threads(prepared, state)
        result = train(
            prepared.config,
            prepared.data,
            prepared.model,
            emit=lambda event: None,
            control=control,
            checkpoints=_Nowhere(),
            device=prepared.device,
            resume_from=state,
            threads=threads,
            group=prepared.group,
        )
    return RunFinished(status=result.status, error=result.error)


class _Nowhere:
    """Keeps no checkpoints: the first process does."""

    def save(self, state: State, kind: str) -> None:
        pass
