"""Ranks other than the first of a run that several processes train; see `core.training.distributed`."""

from collections.abc import Callable
from dataclasses import replace

from core.control import RunControl
from core.data.dataset import Progress
from core.determinism import deterministic
from core.events import RunFinished
from core.runs.checkpoints import State
from core.session.preflight.alike import alike
from core.session.preparation import Prepared
from core.session.session import training_context
from core.training.distributed import Group, explain_lost_rank, reports_failure
from core.training.engine import train
from core.training.memory import explain_oom
from core.training.sharding.choice import is_sharded
from core.training.sharding.saving import other_checkpoints

__all__ = ["assist", "prepare_on_all_ranks"]


def prepare_on_all_ranks(
    group: Group, prepare: Callable[[Progress], Prepared], on_progress: Progress
) -> Prepared:
    """Call `prepare` in each process of a group, and give each its own device; if one fails, all fail.

    Raises:
        TorchtuiError: the error of this process, or else of another one; or they have not prepared the same.
        ProcessLost: another process is gone.
    """
    prepared = group.local_first(lambda: prepare(on_progress))
    with explain_lost_rank(group):
        prepared = alike(prepared, group)
    return replace(prepared, group=group, device=group.device(prepared.device))


def assist(prepared: Prepared, *, control: RunControl, state: State | None = None) -> RunFinished:
    """Train beside the first process of `prepared.group`, which calls `execute`; write and report nothing.

    Raises:
        ProcessLost: another process is gone.
        OutOfMemory: memory is full.
        ConfigError: the batches cannot be divided.
    """
    settings, group = prepared.config.training, prepared.group
    with (
        reports_failure(group),
        explain_oom(prepared.config, prepared.summary, prepared.device),
        deterministic(settings.deterministic),
        explain_lost_rank(group),
    ):
        result = train(
            prepared.config,
            prepared.data,
            prepared.model,
            training_context(prepared, state),
            emit=lambda event: None,
            control=control,
            checkpoints=other_checkpoints(group) if is_sharded(settings, group) else _NoCheckpoints(),
            resume_from=state,
        )
    return RunFinished(status=result.status, error=result.error)


class _NoCheckpoints:
    """Saves nothing: the first process does."""

    def save(self, state: State, kind: str) -> None:
        pass
