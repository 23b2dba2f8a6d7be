"""The simple models beside a run: trained once it is evaluated, kept in its folder, reported in a line."""

from collections.abc import Callable

from core.control import RunControl
from core.errors import RunError
from core.events import Event, Notice
from core.inference.baselines import (
    compared,
    key_of,
    load_baselines,
    not_better_than_boosting,
    save_baselines,
)
from core.inference.stored import saved_evaluation
from core.runs.folder import Run
from core.session.baselines.compute import compute
from core.session.preparation import Prepared

__all__ = ["train_beside"]

Emit = Callable[[Event], None]

SPLITS = ("validation", "test")
"""On the first of them that was evaluated the network is compared with boosting; test stays unseen if it can."""


def train_beside(prepared: Prepared, run: Run, emit: Emit, control: RunControl) -> None:
    """Train the simple models of a run that was evaluated, unless they are there; report if boosting is level with it.

    Nothing that goes wrong here ends the run.
    """
    if prepared.config.training.baselines == "none":
        return
    if prepared.own_step is not None:
        emit(
            Notice(
                level="info", message="no simple models beside it: the network has a training step of its own"
            )
        )
        return
    try:
        _ensure_there(prepared, run, emit, control)
        _report(run, emit)
    except RunError as error:
        emit(Notice(level="error", message=f"simple models not saved: {error}"))
    except Exception as error:  # scikit-learn raises whatever it trips over
        emit(Notice(level="warning", message=f"no simple models beside it: {type(error).__name__}: {error}"))


def _ensure_there(prepared: Prepared, run: Run, emit: Emit, control: RunControl) -> None:
    config = prepared.config
    stored = load_baselines(run)
    if stored is not None and stored.key == key_of(config):
        return
    found = compute(
        config, prepared.data, config.evaluated_splits, prepared.own_metrics, lambda: control.stop_requested
    )
    if found is None:
        return
    save_baselines(run, found)
    for note in found.notes:
        emit(Notice(level="info", message=note))


def _report(run: Run, emit: Emit) -> None:
    for split in SPLITS:
        evaluation = saved_evaluation(run, split)
        if evaluation is not None:
            if line := not_better_than_boosting(evaluation, compared(evaluation)):
                emit(Notice(level="info", message=line))
            return
