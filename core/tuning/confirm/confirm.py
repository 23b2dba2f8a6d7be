"""Confirming a study: its best trials are trained again with other seeds, and the winner is tested once."""

from contextlib import closing
from pathlib import Path

from core.control import RunControl
from core.errors import TorchtuiError
from core.runs.folder import Run
from core.session.evaluation import evaluate_run
from core.tuning.confirm.result import Confirmation, result_of
from core.tuning.confirm.study import begin_confirmation
from core.tuning.executors.executors import Executor
from core.tuning.study.presence import Presence
from core.tuning.study.storage import writing
from core.tuning.study.study import TuningStudy
from core.tuning.study.tuner import Emit, tune

__all__ = ["confirm"]


def confirm(
    study: TuningStudy,
    seeds: int,
    executor: Executor,
    *,
    emit: Emit,
    control: RunControl,
    timeout: float | None = None,
    data_root: Path | None = None,
) -> tuple[Confirmation, str]:
    """Train the best trials of a study with other seeds, and evaluate the winner on the test split, once.

    Runs that are complete are not trained again, whichever process trained them; those that were interrupted resume.

    Args:
        seeds: runs of each trial.
        executor, emit, control, timeout, data_root: as for `core.tuning.study.tuner.tune`.

    Returns:
        What the runs show, and why the winner could not be tested; empty where it was, or where runs are left.

    Raises:
        RunError: folder or storage cannot be written.
    """
    runs = begin_confirmation(study, seeds)
    with writing(study.name), closing(Presence(study.folder, study.optuna)):  # the study is being worked on
        tune(runs, executor, emit=emit, control=control, timeout=timeout, data_root=data_root)
        found = result_of(runs, study.records())
        best = found.best
        if best is None or best.best_run is None or found.test is not None or control.stop_requested:
            return found, ""
        if Run(best.best_run).config().evaluation.test == "never":
            return found, "evaluation.test is never"
        try:
            evaluate_run(Run(best.best_run), "test", data_root=data_root)
        except TorchtuiError as error:
            return found, str(error)
        return result_of(runs, study.records()), ""
