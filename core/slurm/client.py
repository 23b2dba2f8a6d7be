"""Slurm's commands: each is called with a time limit, and what goes wrong is one line."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from core.errors import RunError, TorchtuiError
from core.slurm.job import SlurmJob
from core.slurm.reasons import refusal
from core.slurm.settings import seconds_of

__all__ = [
    "Partition",
    "SlurmSilent",
    "cancel",
    "find_jobs",
    "jobs_of",
    "missing",
    "partitions",
    "submit",
    "unavailable",
]

SECONDS = 15.0
"""After which a controller that does not answer is given up for now."""
FIELDS = "%i|%T|%r|%S|%N|%M|%l|%P"
"""Of squeue: id, state, reason, (expected) start, nodes, time used, time limit, partition. Its JSON has another
schema in each version, and always lists the jobs of all users."""
SACCT_FIELDS = "JobID,State,Reason,Start,NodeList,ElapsedRaw,TimelimitRaw,Partition,ExitCode"
ENDED_FIELDS = re.compile(r"(\w+)=(\S*)")
JOB_ID = re.compile(r"\d+(?:_\d+)?")
SILENCE = re.compile(
    r"timed out|unable to contact|connection refused|communication|try again|backup controller", re.IGNORECASE
)


class SlurmSilent(TorchtuiError):
    """Slurm's controller does not answer now; it may later."""


@dataclass(frozen=True)
class Partition:
    """A part of the cluster with limits of its own.

    Attributes:
        limit: seconds that a job may run; 0 without a limit.
        cores, memory, gpus: of its largest nodes; memory in MB.
    """

    name: str
    is_default: bool
    is_up: bool
    limit: int
    nodes: int
    cores: int
    memory: int
    gpus: int


def missing() -> str:
    """Return why no job can be submitted from this machine, found without asking Slurm; empty if nothing is missing."""
    absent = [name for name in ("sbatch", "squeue", "scontrol", "scancel") if shutil.which(name) is None]
    return f"Slurm is not installed here: there is no {absent[0]}" if absent else ""


def unavailable() -> str:
    """Return why no job can be submitted now; empty if Slurm answers."""
    if reason := missing():
        return reason
    try:
        _call("sinfo", "--noheader", "--format=%R")
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
    _ensure_installed()
    printed = _call("sbatch", "--parsable", given=script, environment=environment, refused=True)
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
    _ensure_installed()
    try:
        _call("scancel", *(["--state=PENDING"] if only_waiting else []), job)
    except RunError as error:
        if "Invalid job id" not in error.message and "already" not in error.message:
            raise


def find_jobs(ids: Iterable[str]) -> dict[str, SlurmJob]:
    """Return what Slurm knows of jobs, those that wait with their place in the queue; without those it has forgotten.

    An array stands as that of its tasks which has come furthest: one runs, else waits, else has ended.

    Raises:
        RunError: Slurm is not installed here, or refuses.
        SlurmSilent: it does not answer.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    _ensure_installed()
    queued = list(_queued(wanted))
    found = {job.id: job for job in queued} | _arrays(wanted, queued)
    ended = {job: found[job] for job in found if found[job].has_ended}
    for job in [*(job for job in wanted if job not in found), *ended]:
        if (past := _past(job)) is not None:
            found[job] = past
    waiting = {job.partition for job in found.values() if job.waits}
    lines = {partition: _line(partition) for partition in waiting}
    return {job.id: _placed(job, lines.get(job.partition, [])) for job in found.values() if job.id in wanted}


def jobs_of(arrays: Iterable[str]) -> list[SlurmJob]:
    """Return the jobs of arrays that wait or run.

    Raises:
        RunError: Slurm is not installed here, or refuses.
        SlurmSilent: it does not answer.
    """
    wanted = list(arrays)
    if not wanted:
        return []
    _ensure_installed()
    return [job for job in _queued(wanted) if not job.has_ended]


def partitions() -> list[Partition]:
    """Return the partitions of the cluster, the default one first.

    Raises:
        RunError: Slurm is not installed here, or refuses.
        SlurmSilent: it does not answer.
    """
    _ensure_installed()
    found: dict[str, Partition] = {}
    for line in _call("sinfo", "--noheader", "--format=%R|%P|%a|%l|%D|%c|%m|%G").splitlines():
        fields = line.split("|")
        if len(fields) != 8:
            continue
        name, starred, state, limit, nodes, cores, memory, gres = fields
        new = Partition(
            name,
            starred.endswith("*"),
            state == "up",
            _seconds(limit),
            _number(nodes),
            _number(cores),
            _number(memory),
            _gpus(gres),
        )
        old = found.get(name)
        found[name] = new if old is None else _joined(old, new)  # a line for each kind of node
    return sorted(found.values(), key=lambda partition: not partition.is_default)


def _queued(ids: list[str]) -> Iterator[SlurmJob]:
    """Yield the jobs that the controller remembers: those of today, at least."""
    try:
        printed = _call(
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
                _number(start),
                nodes,
                _seconds(elapsed),
                _seconds(limit),
                partition,
            )


def _arrays(ids: list[str], tasks: list[SlurmJob]) -> dict[str, SlurmJob]:
    """Return the arrays among some ids, each in the words of one of its tasks."""
    found: dict[str, SlurmJob] = {}
    for task in sorted(tasks, key=lambda task: 0 if task.runs else 1 if task.waits else 2):
        array, _, number = task.id.partition("_")
        if number and array in ids:
            found.setdefault(array, replace(task, id=array))
    return found


def _past(job: str) -> SlurmJob | None:
    """Return a job that has ended, from the controller's memory or the accounting; None if neither has it."""
    with suppress(RunError):
        fields = dict(ENDED_FIELDS.findall(_call("scontrol", "--oneliner", "show", "job", job)))
        return SlurmJob(
            job,
            fields.get("JobState", ""),
            fields.get("Reason", ""),
            _number(fields.get("StartTime", "")),
            fields.get("NodeList", "").replace("(null)", ""),
            _seconds(fields.get("RunTime", "")),
            _seconds(fields.get("TimeLimit", "")),
            fields.get("Partition", ""),
            exit_code=fields.get("ExitCode", ""),
        )
    if shutil.which("sacct") is None:
        return None
    with suppress(RunError):  # such as: accounting is disabled
        for line in _call(
            "sacct", "--noheader", "--allocations", "--parsable2", f"--jobs={job}", f"--format={SACCT_FIELDS}"
        ).splitlines():
            values = line.split("|")
            if len(values) == 9 and values[0] == job:
                _, state, reason, start, nodes, elapsed, limit, partition, code = values
                return SlurmJob(
                    job,
                    state,
                    reason,
                    _number(start),
                    nodes,
                    _number(elapsed),
                    60 * _number(limit),
                    partition,
                    exit_code=code,
                )
    return None


def _line(partition: str) -> list[str]:
    """Return the ids of the jobs that wait in a partition, the next one first; held ones are not in line."""
    printed = _call(
        "squeue",
        "--noheader",
        "--states=PENDING",
        f"--partition={partition}",
        "--sort=-p,i",
        "--format=%A|%i|%Q",
    )
    rows = [line.split("|") for line in printed.splitlines()]
    return [row[1] for row in rows if len(row) == 3 and row[2].strip() != "0"]


def _placed(job: SlurmJob, line: list[str]) -> SlurmJob:
    if not job.waits:
        return job
    base = job.id.partition("_")[0]
    places = [place for place, other in enumerate(line) if other.partition("_")[0] == base]
    return replace(job, ahead=places[0] if places else None)


def _call(
    program: str,
    *arguments: str,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
    refused: bool = False,
) -> str:
    """Return what a command of Slurm's prints.

    Args:
        refused: its last words say why it refuses a job.
    """
    plain = {**(os.environ if environment is None else environment), "SLURM_TIME_FORMAT": "%s", "LC_ALL": "C"}
    if given is not None:  # the job inherits it
        plain = dict(os.environ if environment is None else environment)
    for name in [name for name in plain if name.startswith(("SQUEUE_", "SINFO_", "SACCT_", "SBATCH_"))]:
        del plain[name]  # else a user's own formats
    try:
        answer = subprocess.run(
            [program, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=plain,
        )
    except subprocess.TimeoutExpired:
        raise SlurmSilent(f"Slurm does not answer: {program} has waited {SECONDS:.0f} seconds") from None
    except OSError as error:
        raise RunError(f"cannot run {program}: {error.strerror}") from None
    if not answer.returncode:
        return answer.stdout
    words = refusal(answer.stderr or answer.stdout)
    if SILENCE.search(words):
        raise SlurmSilent(f"Slurm does not answer: {words}")
    raise RunError(f"Slurm refuses the job: {words}" if refused else f"{program}: {words}")


def _ensure_installed() -> None:
    if reason := missing():
        raise RunError(reason, "Submit from a machine of the cluster, or train here")


def _joined(one: Partition, other: Partition) -> Partition:
    return replace(
        one,
        nodes=one.nodes + other.nodes,
        cores=max(one.cores, other.cores),
        memory=max(one.memory, other.memory),
        gpus=max(one.gpus, other.gpus),
    )


def _number(text: str) -> int:
    """Return the number at the start of a text, as in ``4096+``; 0 without one."""
    match = re.match(r"\s*(\d+)", text)
    return int(match[1]) if match else 0


def _seconds(text: str) -> int:
    """Return a duration; 0 where there is none, as in ``infinite`` or ``INVALID``."""
    try:
        return seconds_of(text.strip())
    except ValueError:
        return 0


def _gpus(gres: str) -> int:
    """Return the GPUs of a node, as in ``gpu:a100:4(S:0-1),gpu:2``."""
    return sum(int(count) for count in re.findall(r"\bgpu(?::[^:,()]+)?:(\d+)", gres))


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "nothing"
