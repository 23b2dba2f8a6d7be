"""The simple models beside a study: trained once, on the data that all its trials share."""

from pathlib import Path

from core.control import RunControl
from core.data.registry import load
from core.errors import TorchtuiError
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
from core.tasks.losses import resolve_loss
from core.training.metrics.own_metrics import load_own_metrics
from core.tuning.study.records import StudyFinished
from core.tuning.study.study import TuningStudy

__all__ = ["beside_study"]


def beside_study(
    study: TuningStudy, finished: StudyFinished, data_root: Path | None, control: RunControl
) -> list[str]:
    """Train the simple models of a study that is complete, unless they are there.

    Returns:
        What there is to report, a line each.
    """
    best = finished.best
    if finished.status != "completed" or best is None or best.run is None:
        return []
    try:
        run = Run(best.run)
        config = run.config()
        if config.training.baselines == "none":
            return []
        stored = load_baselines(Run(study.folder.path))
        lines: tuple[str, ...] = ()
        if stored is None or stored.key != key_of(config):
            data = load(config.data, data_root)
            resolved = config.model_copy(update={"loss": resolve_loss(config.loss, data.task)})
            own = load_own_metrics(config.training)
            splits = config.evaluated_splits
            found = compute(resolved, data, splits, own, lambda: control.stop_requested)
            if found is None:
                return []
            save_baselines(Run(study.folder.path), found)
            lines = found.notes
        evaluation = saved_evaluation(run, "validation")
        line = not_better_than_boosting(evaluation, compared(evaluation)) if evaluation else ""
        return [*lines, *([line] if line else [])]
    except (TorchtuiError, ValueError, MemoryError) as error:
        return [f"no simple models beside the study: {error}"]
