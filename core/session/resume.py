"""Resuming: the state from which a run continues, and what is reported and repaired then."""

from collections.abc import Callable, Iterator
from typing import Any

from core.config.schema import TrainConfig
from core.errors import RunError
from core.events import Event, Notice
from core.files.atomic import archive_damage
from core.remedies import Remedy
from core.runs.checkpoints import FolderCheckpoints, load_latest
from core.runs.folder import Run
from core.runs.problems import changed_settings
from core.runs.summary import RunSummary, summarise
from core.training.progress import TrainingProgress, patience_is_out, time_is_up
from core.training.saver import explain_mismatch

__all__ = ["mend", "resume_state", "settle_choice"]

ADDED = ("is_chosen", "warnings")
"""Keys of a state that `resume_state` adds to what was saved."""


def resume_state(run: Run, config: TrainConfig) -> dict[str, Any] | None:
    """Return the state from which a run resumes bit for bit; None for a run that has no checkpoint yet.

    Args:
        run: it may name another checkpoint than the last one; see `core.runs.folder.with_checkpoint`.
        config: the configuration of the run, possibly with more epochs, time or patience.

    Raises:
        RunError: the run is complete and would end again at once, or neither its last checkpoint nor the one before
            can be read.
    """
    summary = summarise(run, as_left=True)
    state, problem = load_latest(run)
    if summary.status == "completed":
        _ensure_longer(config, state, summary)
    if state is None:
        return None
    changes = changed_settings(config, summary)
    state["is_chosen"] = run.checkpoint != "best"
    state["warnings"] = (
        [f"{run.config_file} is not what the run was started with: {changes}"] if changes else []
    )
    if problem:
        place = f"epoch {state['progress']['epoch']}, step {state['progress']['step']}"
        state["warnings"].append(f"{problem}: resuming from the previous checkpoint, {place}")
    return state


def _listed(paths: list[str]) -> Iterator[str | Remedy]:
    """Yield the words ``a and a larger b`` for paths of fields."""
    for place, path in enumerate(paths):
        if place:
            yield " and a larger "
        yield Remedy("field", (path,))


def _ensure_longer(config: TrainConfig, state: dict[str, Any] | None, summary: RunSummary) -> None:
    """Refuse a complete run that would end again at once, and evaluate its test split once more."""
    settings = config.training
    with explain_mismatch():
        at = TrainingProgress(**state["progress"]) if state else TrainingProgress(epoch=summary.epochs)
        ends = {
            "training.epochs": at.epoch >= settings.epochs,
            "training.patience": patience_is_out(settings, at),
            "training.max_minutes": time_is_up(settings, at),
        }
    if more := [name for name, ended in ends.items() if ended]:
        raise RunError(
            f"{summary.run.id} is complete: {summary.epoch} epochs",
            ("Give a larger ", *_listed(more), " to train on"),
        )


def settle_choice(state: dict[str, Any], checkpoints: FolderCheckpoints) -> None:
    """Make a checkpoint that was chosen the last one: whoever resumes the run from now on goes on from there."""
    if state["is_chosen"]:
        checkpoints.save({key: value for key, value in state.items() if key not in ADDED}, "last")
        state["is_chosen"] = False


def mend(
    run: Run, state: dict[str, Any], checkpoints: FolderCheckpoints, emit: Callable[[Event], None]
) -> None:
    """Report what was damaged, and write ``best.pt`` again from the checkpoint."""
    for message in state["warnings"]:
        emit(Notice(level="warning", message=message))
    settle_choice(state, checkpoints)
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
        emit(Notice(level="warning", message=f"{path} could not be read ({damage}): it is rewritten"))
