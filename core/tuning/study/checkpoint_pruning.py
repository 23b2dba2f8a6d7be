"""Checkpoints take room: those of the best trials are kept, the others removed while the study runs."""

from collections.abc import Iterable

from core.errors import RunError
from core.runs.folder import Run, ensure_plain
from core.runs.lock import is_held
from core.tuning.search.plan import Plan
from core.tuning.study.records import TrialRecord, best_first

__all__ = ["keep_best"]


def keep_best(plan: Plan, records: Iterable[TrialRecord], cleared: set[int]) -> list[str]:
    """Remove the checkpoints of all trials that are done but the best ones; a trial trained on by hand keeps its own.

    Args:
        cleared: numbers of the trials whose checkpoints were removed before; those of this call are added.

    Returns:
        What could not be removed, a sentence each.
    """
    records = list(records)
    kept = {record.number for record in best_first(plan, records)[: plan.keep]} | cleared
    problems = []
    for record in records:
        if not record.done or record.run is None or record.number in kept:
            continue
        run = Run(record.run)
        if not run.path.is_dir() or is_held(run):
            continue
        try:
            ensure_plain(run)  # what is removed is in its folder
            for kind in ("last", "previous", "best", *(f"epoch-{epoch}" for epoch in run.kept_epochs())):
                run.checkpoint_file(kind).unlink(missing_ok=True)
        except OSError as error:
            problems.append(f"cannot remove the checkpoints of {run.id}: {error.strerror}")
        except RunError as error:
            problems.append(f"the checkpoints of {run.id} stay: {error.message}")
        cleared.add(record.number)
    return problems
