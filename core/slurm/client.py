"""Jobs and partitions, as Slurm's commands describe them; jobs submitted and cancelled."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from core.errors import RunError, TorchtuiError
from core.slurm.commands import call, ensure_installed, missing
from core.slurm.ended import ended_job
from core.slurm.job import SlurmJob
from core.slurm.numbers import number, seconds
from core.slurm.reasons import never_starts

__all__ = [
    "Partition",
    "cancel",
    "find_jobs",
    "line_of",
    "partitions",
    "submit",
    "unavailable",
]

FIELDS = "%i|%T|%r|%S|%N|%M|%l|%P"
"""Of squeue: id, state, reason, (expected) start, nodes, time used, time limit, partition. Its JSON has another
schema in each version, and always lists the jobs of all users."""
JOB_ID = re.compile(r"\d+(?:_\d+)?")


@dataclass(frozen=True)
class Partition:
    """A part of the cluster with limits of its own.

    Attributes:
        limit: seconds that a job may run; 0 without a limit.
        free: nodes on which nothing runs.
        cores, memory, gpus: of its largest nodes; memory in MB.
    """

    name: str
    is_default: bool
    is_up: bool
    limit: int
    nodes: int
    free: int
    cores: int
    memory: int
    gpus: int


def unavailable() -> str:
    """Return why no job can be submitted now; empty if Slurm answers."""
    if reason := missing():
        return reason
    try:
        call("sinfo", "--noheader", "--format=%R")
    except TorchtuiError as error:
        return error.message
    return ""


def submit(script: str, environment: Mapping[str, str] | None = None) -> str:
    """Submit a job, and return its id.

    Args:
        environment: of sbatch, which the job inherits; None for that of this process.

    Raises:
        RunError: Slurm refuses the job, and says why, or is not installed.
        SlurmSilent: it does not answer; whether it has taken the job is not known.
    """
    ensure_installed()
    inherited = os.environ if environment is None else environment
    printed = call("sbatch", "--parsable", given=script, environment=inherited, refused=True)
    job, _, _ = (
        printed.strip().rpartition("\n")[2].partition(";")
    )  # the cluster follows where there are several
    if not JOB_ID.fullmatch(job):
        raise RunError(f"sbatch did not name the job, but printed: {_one_line(printed)}")
    return job


def cancel(job: str, *, only_waiting: bool = False) -> None:
    """Cancel a job, waiting or running, or those of an array; nothing happens to one that has ended.

    Args:
        only_waiting: leaves alone what runs.

    Raises:
        RunError: Slurm refuses.
        SlurmSilent: it does not answer.
    """
    ensure_installed()
    try:
        call("scancel", *(["--state=PENDING"] if only_waiting else []), job)
    except RunError as error:
        if "Invalid job id" not in error.message and "already" not in error.message:
            raise


def find_jobs(ids: Iterable[str]) -> dict[str, SlurmJob]:
    """Return what Slurm knows of jobs, those that wait with their place in the queue; without those it has forgotten.

    An array stands as that of its tasks which has come furthest: one runs, else waits, else is complete or has failed.

    Raises:
        RunError: Slurm is not installed here, or refuses.
        SlurmSilent: it does not answer.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    ensure_installed()
    queued = list(_queued(wanted))
    known = _arrays(wanted, queued) | {job.id: job for job in queued}
    found: dict[str, SlurmJob] = {}
    for id in wanted:
        job = known.get(id)
        if job is None or job.has_ended:
            job = ended_job(id if job is None else job.id) or job
        if job is not None:
            found[id] = replace(job, id=id)
    waiting = {job.partition for job in found.values() if job.waits}
    lines = {partition: line_of(partition) for partition in waiting}
    return {id: _placed(job, lines.get(job.partition, [])) for id, job in found.items()}


def partitions() -> list[Partition]:
    """Return the partitions of the cluster, the default one first.

    Raises:
        RunError: Slurm is not installed here, or refuses.
        SlurmSilent: it does not answer.
    """
    ensure_installed()
    found: dict[str, Partition] = {}
    for line in call("sinfo", "--noheader", "--format=%R|%P|%a|%l|%A|%D|%c|%m|%G").splitlines():
        fields = line.split("|")
        if len(fields) != 9:
            continue
        name, starred, state, limit, free, nodes, cores, memory, gres = fields
        new = Partition(
            name,
            starred.endswith("*"),
            state == "up",
            seconds(limit),
            number(nodes),
            number(free.partition("/")[2]),
            number(cores),
            number(memory),
            _gpus(gres),
        )
        old = found.get(name)
        found[name] = new if old is None else _joined(old, new)  # a line for each kind of node
    return sorted(found.values(), key=lambda partition: not partition.is_default)


def _queued(ids: list[str]) -> Iterator[SlurmJob]:
    """Yield the jobs that the controller remembers: those of today, at least."""
    try:
        printed = call(
            "squeue", "--noheader", "--array", "--states=all", f"--jobs={','.join(ids)}", f"--format={FIELDS}"
        )
    except RunError as error:
        if "Invalid job id" in error.message:  # it remembers none of them
            return
        raise
    for line in printed.splitlines():
        fields = line.split("|")
        if len(fields) == 8:
            job, state, reason, start, nodes, elapsed, limit, partition = fields
            yield SlurmJob(
                job.strip(),
                state,
                reason,
                number(start),
                nodes,
                seconds(elapsed),
                seconds(limit),
                partition,
            )


def _arrays(ids: list[str], tasks: list[SlurmJob]) -> dict[str, SlurmJob]:
    """Return the arrays among some ids, each as one of its tasks."""

    def rank(task: SlurmJob) -> int:
        return 0 if task.runs else 1 if task.waits else 2 if task.state == "COMPLETED" else 3

    found: dict[str, SlurmJob] = {}
    for task in sorted(tasks, key=rank):
        array, _, place = task.id.partition("_")
        if place and array in ids:
            found.setdefault(array, task)
    return found


def line_of(partition: str, should_stop: Callable[[], bool] | None = None) -> list[str]:
    """Return the ids of the jobs that wait in a partition, the next one first; held ones are not in line.

    Args:
        should_stop: asked meanwhile; once it is true nobody waits for the answer, and `Withdrawn` is raised.
    """
    printed = call(
        "squeue",
        "--noheader",
        "--states=PENDING",
        f"--partition={partition}",
        "--sort=-p,i",
        "--format=%A|%i|%Q",
        should_stop=should_stop,
    )
    rows = [line.split("|") for line in printed.splitlines()]
    return [row[1] for row in rows if len(row) == 3 and row[2].strip() != "0"]


def _placed(job: SlurmJob, line: list[str]) -> SlurmJob:
    """Return a job with its place among those that wait, and with a reason only where that still holds."""
    if job.was_withdrawn:  # Slurm keeps what it had waited for
        return replace(job, reason="")
    if not job.waits:
        return job
    if never_starts(job):
        return replace(job, start=0)
    base = job.id.partition("_")[0]
    places = [place for place, other in enumerate(line) if other.partition("_")[0] == base]
    return replace(job, ahead=places[0] if places else None)


def _joined(one: Partition, other: Partition) -> Partition:
    return replace(
        one,
        nodes=one.nodes + other.nodes,
        free=one.free + other.free,
        cores=max(one.cores, other.cores),
        memory=max(one.memory, other.memory),
        gpus=max(one.gpus, other.gpus),
    )


def _gpus(gres: str) -> int:
    """Return the GPUs of a node, as in ``gpu:a100:4(S:0-1),gpu:2``."""
    return sum(int(count) for count in re.findall(r"\bgpu(?::[^:,()]+)?:(\d+)", gres))


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "nothing"
