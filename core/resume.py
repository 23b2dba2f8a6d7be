"""The state from which a run goes on, and what is told and mended then."""

from collections.abc import Callable
from typing import Any

from core.config import TrainConfig
from core.errors import RunError
from core.events import Event, Notice
from core.files import archive_damage
from core.runs.checkpoints import FolderCheckpoints, load_latest
from core.runs.folder import Run
from core.runs.problems import changed_settings
from core.runs.summary import RunSummary, summarise

__all__ = ["mend", "resume_state"]


def resume_state(run: Run, config: TrainConfig) -> dict[str, Any] | None:
    """The state from which a run goes on bit for bit; None for a run that has no checkpoint yet.

    Args:
        config: the run's configuration, maybe with more epochs or time.

    Raises:
        RunError: the run is complete, or neither its last checkpoint nor the one before can be read.
    """
    summary = summarise(run)
    if summary.status == "completed" and not _asks_for_more(config, run, summary):
        more = "--epochs" if summary.epoch == summary.epochs else "--epochs or training.max_minutes"
        raise RunError(f"{run.id} is complete: {summary.epoch} epochs", f"Give a larger {more} to train on")
    state, problem = load_latest(run)
    if state is None:
        return None
    changes = changed_settings(config, summary)
    state["warnings"] = (
        [f"{run.config_file} is not what the run was begun with: {changes}"] if changes else []
    )
    if problem:
        place = f"epoch {state['progress']['epoch']}, step {state['progress']['step']}"
        state["warnings"].append(f"{problem}: goes on from the one before, {place}")
    return state


def _asks_for_more(config: TrainConfig, run: Run, summary: RunSummary) -> bool:
    """Whether a complete run shall have more epochs than it was to have, or more time where time ran out."""
    minutes, had = config.training.max_minutes, run.config().training.max_minutes
    more_time = had > 0 and (minutes == 0 or minutes > had) and summary.epoch < summary.epochs
    return config.training.epochs > summary.epochs or more_time


def mend(
    run: Run, state: dict[str, Any], checkpoints: FolderCheckpoints, emit: Callable[[Event], None]
) -> None:
    """Tell what was damaged; write ``best.pt`` again where the checkpoint knows better."""
    for message in state["warnings"]:
        emit(Notice(level="warning", message=message))
    if state["best"] is None:
        return
    path = run.checkpoint_file("best")
    damage = archive_damage(path)
    try:
        checkpoints.save(state["best"], "best")
    except RunError as error:
        emit(Notice(level="error", message=f"checkpoint not saved: {error}"))
        return
    if damage:
        emit(Notice(level="warning", message=f"{path} could not be read ({damage}): it is written again"))
