"""What the processes of a run do that are not its first one; see `core.training.distributed`."""

from core.control import RunControl
from core.determinism import deterministic
from core.events import RunFinished
from core.session.preparation import Prepared
from core.session.session import training_context
from core.training.distributed import explain_lost_rank
from core.training.engine import train
from core.training.saver import State

__all__ = ["assist"]


def assist(prepared: Prepared, *, control: RunControl, state: State | None = None) -> RunFinished:
    """Train beside the first process of `prepared.group`, which calls `execute`; write nothing and tell nothing.

    Raises:
        ProcessLost: another process is gone.
        ConfigError: the batches cannot be divided.
    """
    with deterministic(prepared.config.training.deterministic), explain_lost_rank(prepared.group):
        result = train(
            prepared.config,
            prepared.data,
            prepared.model,
            training_context(prepared, state),
            emit=lambda event: None,
            control=control,
            checkpoints=_Nowhere(),
            resume_from=state,
        )
    return RunFinished(status=result.status, error=result.error)


class _Nowhere:
    """Keeps no checkpoints: the first process does."""

    def save(self, state: State, kind: str) -> None:
        pass
