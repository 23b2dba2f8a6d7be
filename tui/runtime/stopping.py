"""All folds or seeds of a group stopped at once, wherever they train or wait."""

from core.counting import counted
from core.errors import RunError
from core.remedies import LIST_RUNS
from core.runs.folder import Run
from core.runs.jobs.following import end_jobs, request_of_job
from core.runs.summary import summarise
from core.session.repeats import group_of
from core.status import is_active
from tui.runtime.user_queue.runs import leave_queue

__all__ = ["stop_group"]


def stop_group(run: Run, seconds: float) -> list[Run]:
    """Stop all runs that differ from one in fold or seed alone and have not ended, and return them.

    Those that come last are asked first, so that none starts because one before it has ended.

    Args:
        seconds: for which the runs in jobs may save, see `tui.runtime.hosts.job_host.stop_job`.

    Raises:
        RunError: none of them trains or waits, or Slurm refuses.
        SlurmSilent: Slurm does not answer.
    """
    group = group_of(run)
    left = [one for one in group if leave_queue(one)]
    active = [one for one in group if one not in left and is_active(summarise(one).status)]
    asked = dict.fromkeys(active, False)
    for one in reversed(active):
        try:
            asked[one] = request_of_job(one, "stop")
        except RunError:
            if is_active(summarise(one).status):  # else it has ended meanwhile
                raise
    end_jobs(asked, seconds)
    if not (left or active):
        raise RunError(f"none of {counted(len(group), 'run')} is being trained, or waits", (LIST_RUNS,))
    return [one for one in group if one in left or one in active]
