"""A study as users ask for it: a new one that knows some runs and studies, or an earlier one with changes."""

from pathlib import Path

from core.data.dataset import Progress
from core.runs.folder import Run, find_run
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan
from core.tuning.search.points import contains, takes
from core.tuning.search.space import full_path
from core.tuning.study.priors import learn_from, learned_from, start_of, start_with, start_with_current
from core.tuning.study.study import TuningStudy, check_plan, create_study, open_study

__all__ = ["change_study", "start_study"]


def start_study(
    runs_dir: Path,
    plan: Plan,
    storage_url: str | None,
    changes: StudyChanges,
    *,
    data_root: Path | None,
    progress: Progress,
) -> tuple[TuningStudy, list[str]]:
    """Make a study whose first trial is the current configuration; return it, and what there is to report.

    Args:
        changes: of which only what is known beforehand counts: the plan has the rest.

    Raises:
        TorchtuiError: something does not fit; no folder was made.
    """
    plan = check_plan(plan, data_root, progress)
    runs, studies = others = _others(runs_dir, changes)
    for run in runs:
        start_of(plan, run)
    for other in studies:
        learned_from(plan, other)
    study = create_study(runs_dir, plan, storage_url)
    line = start_with_current(study)
    return study, [*([line] if line else []), *_add_known(study, others)]


def change_study(study: TuningStudy, runs_dir: Path, changes: StudyChanges) -> tuple[TuningStudy, list[str]]:
    """Return an earlier study with changes, for all processes that open it from now on, and what there is to report.

    Raises:
        TorchtuiError: something does not fit.
    """
    others = _others(runs_dir, changes)
    if changes.trials is not None:
        study = study.with_trials(changes.trials)
    if changes.patience is not None or changes.max_epochs is not None:
        study = study.with_limits(changes.patience, changes.max_epochs)
    lines = []
    if changes.ranges:
        study = study.with_ranges(changes.ranges)
        lines = [_new_range(study, full_path(path)) for path in changes.ranges]
    return study, [*lines, *_add_known(study, others)]


def _new_range(study: TuningStudy, path: str) -> str:
    """Return the values that are drawn from now on, and how many trials have others."""
    domain = study.plan.space.domains[path]
    values = [record.params[path] for record in study.records() if path in record.params]
    outside = sum(not contains(domain, value) for value in values)
    stay = f"; {outside} of {len(values)} trials lie outside and stay known" if outside else ""
    return f"{path} is drawn from {takes(domain)}{stay}"


def _others(runs_dir: Path, changes: StudyChanges) -> tuple[list[Run], list[TuningStudy]]:
    """Return the runs to start with, and the studies to learn from."""
    runs = [find_run(runs_dir, reference) for reference in changes.start_with]
    return runs, [open_study(runs_dir, reference) for reference in changes.learn_from]


def _add_known(study: TuningStudy, others: tuple[list[Run], list[TuningStudy]]) -> list[str]:
    """Add what is known beforehand to a study; return what there is to report."""
    runs, studies = others
    learned = [learn_from(study, other) for other in studies]
    return [*learned, *(start_with(study, run) for run in runs)]
