"""Jobs that have ended, as the controller still remembers them, or the accounting."""

import re
import shutil
from contextlib import suppress
from dataclasses import replace

from core.errors import RunError
from core.slurm.commands import SlurmSilent, call
from core.slurm.job import SlurmJob
from core.slurm.numbers import number, seconds

__all__ = ["ended_job"]

SACCT_FIELDS = "JobID,State,Reason,Start,NodeList,ElapsedRaw,TimelimitRaw,Partition,ExitCode"
CONTROLLER_FIELDS = re.compile(r"(\w+)=(\S*)")


def ended_job(job: str) -> SlurmJob | None:
    """Return a job that has ended; None where neither the controller nor the accounting remembers it.

    The state of one that was cancelled says by whom, where the accounting knows.

    Raises:
        SlurmSilent: the controller does not answer.
    """
    found = _remembered(job)
    if found is None:
        found = _accounted(job)
    elif found.state == "CANCELLED":
        with suppress(SlurmSilent):  # the accounting: the controller has answered
            accounted = _accounted(job)
            if accounted is not None and accounted.state.startswith("CANCELLED"):
                found = replace(found, state=accounted.state)
    return found


def _remembered(job: str) -> SlurmJob | None:
    """Return a job as the controller remembers it."""
    with suppress(RunError):
        fields = dict(CONTROLLER_FIELDS.findall(call("scontrol", "--oneliner", "show", "job", job)))
        return SlurmJob(
            job,
            fields.get("JobState", ""),
            fields.get("Reason", ""),
            number(fields.get("StartTime", "")),
            fields.get("NodeList", "").replace("(null)", ""),
            seconds(fields.get("RunTime", "")),
            seconds(fields.get("TimeLimit", "")),
            fields.get("Partition", ""),
            exit_code=fields.get("ExitCode", ""),
        )
    return None


def _accounted(job: str) -> SlurmJob | None:
    """Return a job as the accounting has it; None without accounting."""
    if shutil.which("sacct") is None:
        return None
    with suppress(RunError):  # such as: accounting is disabled
        for line in call(
            "sacct", "--noheader", "--allocations", "--parsable2", f"--jobs={job}", f"--format={SACCT_FIELDS}"
        ).splitlines():
            values = line.split("|")
            if len(values) == 9 and values[0] == job:
                _, state, reason, start, nodes, elapsed, limit, partition, code = values
                return SlurmJob(
                    job,
                    state,
                    reason,
                    number(start),
                    nodes.replace("None assigned", ""),
                    number(elapsed),
                    60 * number(limit),
                    partition,
                    exit_code=code,
                )
    return None
