"""Why a job waits, or how it ended, in one sentence with Slurm's own word for it."""

import os
import pwd
import re
import signal
from contextlib import suppress

from core.slurm.job import FORGOTTEN, SlurmJob

__all__ = ["ending", "never_starts", "refusal", "waiting"]

WAITS = {
    "None": "waits to be looked at by the scheduler",
    "Priority": "waits behind jobs of higher priority",
    "Resources": "waits for nodes, cores, memory or GPUs to become free",
    "BeginTime": "waits for its earliest start, as jobs do that were requeued",
    "Dependency": "waits for another job",
    "DependencyNeverSatisfied": "never starts, since the job that it depends on has failed",
    "JobHeldUser": "is held by its user; scontrol release lets it start",
    "JobHeldAdmin": "is held by an administrator",
    "JobHoldMaxRequeue": "is held, since it was requeued as often as Slurm allows",
    "PartitionTimeLimit": "never starts: its time limit is longer than the partition allows",
    "PartitionNodeLimit": "never starts: it asks for more nodes than the partition allows",
    "PartitionConfig": "never starts: it asks for more than the partition has or allows",
    "PartitionDown": "waits for its partition to be up",
    "PartitionInactive": "waits for its partition to be active",
    "NodeDown": "waits for a node that is down",
    "BadConstraints": "never starts: no node has what it asks for",
    "AccountNotAllowed": "never starts: its account may not use the partition",
    "QOSNotAllowed": "never starts: its quality of service may not use the partition",
    "InvalidAccount": "never starts: its account is not valid",
    "InvalidQOS": "never starts: its quality of service is not valid",
    "Licenses": "waits for a licence",
    "Reservation": "waits for its reservation",
    "ReservationDeleted": "never starts: its reservation is gone",
    "Cleaning": "waits for the end of its earlier start, after it was requeued",
    "launch failed requeued held": "is held, since it could not be launched; scontrol release lets it try again",
    "JobLaunchFailure": "could not be launched",
}
PREFIXES = {
    "QOS": "waits: a limit of its quality of service is reached",
    "Assoc": "waits: a limit of its account is reached",
    "MaxArray": "waits: as many of its array run as may",
    "JobArrayTaskLimit": "waits: as many of its array run as may",
    "ReqNodeNotAvail": "waits for nodes that are down, drained or reserved",
    "Nodes required for job are DOWN": "waits for nodes that are down, drained or reserved",
    "Job's account not": "never starts: its account may not use the partition",
    "Job's QOS not": "never starts: its quality of service may not use the partition",
    "user env retrieval failed": "is held, since the user's environment could not be read",
}
ENDINGS = {
    "CANCELLED": "was cancelled",
    "TIMEOUT": "reached its time limit before it had saved and requeued itself",
    "NODE_FAIL": "lost its node",
    "OUT_OF_MEMORY": "needed more memory than it had asked for",
    "PREEMPTED": "had to make room for a job of higher priority",
    "BOOT_FAIL": "could not start, since its node failed to boot",
    "DEADLINE": "could not end before its deadline",
    "REVOKED": "was moved to another cluster",
    "LAUNCH_FAILED": "could not be launched",
    FORGOTTEN: "is no longer known to Slurm, nor to its accounting",
}
NOT_LAUNCHED = "could not be launched: its node does not see, or may not write, the folder of the run"
"""With ``JobLaunchFailure``: Slurm could not open the file for what the job prints."""
CANCELLER = re.compile(r"CANCELLED by (\d+)")
"""As accounting writes whose user id has cancelled a job."""
REFUSED = re.compile(r"^(?:\w+: )?(?:error|fatal): ", re.MULTILINE)
SUBMISSIONS = ("Batch job submission failed: ", "allocation failure: ")
"""What stands before the reason: of a job, and of one that was only tried."""


def waiting(job: SlurmJob) -> str:
    """Return why a pending job has not started, such as ``waits behind jobs of higher priority (Priority)``."""
    return f"{_why(job)} ({_reason(job)})"


def never_starts(job: SlurmJob) -> bool:
    """Return True for a pending job that starts only once it, or the cluster, is changed."""
    return _why(job).startswith("never starts")


def _reason(job: SlurmJob) -> str:
    return re.sub(r"^\((.*)\)$", r"\1", job.reason) or "None"


def _why(job: SlurmJob) -> str:
    name = _reason(job).partition(",")[0].replace("_", " ")  # such as ReqNodeNotAvail, UnavailableNodes:node7
    begins = (text for key, text in PREFIXES.items() if name.startswith(key))
    return WAITS.get(name) or next(begins, "waits")


def ending(job: SlurmJob) -> str:
    """Return how a job ended, such as ``lost its node (NODE_FAIL)``."""
    state = job.state.partition(" ")[0]  # as in: CANCELLED by 1000
    what = ENDINGS.get(state) or (NOT_LAUNCHED if job.reason == "JobLaunchFailure" else _exit(job.exit_code))
    what += _canceller(job.state) + (" while it waited" if job.was_withdrawn else "")
    return f"{what} ({', '.join(filter(None, (job.state, _useful(job.reason))))})"


def _canceller(state: str) -> str:
    """Return who has cancelled a job, such as `` by alice``; empty where Slurm does not say."""
    found = CANCELLER.match(state)
    if found is None:
        return ""
    user = int(found[1])
    try:
        return " by you" if user == os.getuid() else f" by {pwd.getpwuid(user).pw_name}"
    except (KeyError, OverflowError):  # known to the cluster, not to this machine
        return f" by user {user}"


def refusal(printed: str) -> str:
    """Return what sbatch says of a job that it refuses, in one line: its last words, and what it said before."""
    lines = [line for line in REFUSED.sub("", printed.strip()).splitlines() if line.strip()]
    if not lines:
        return "it gave no reason"
    last, before = lines[-1].strip(), [line.strip() for line in lines[:-1]]
    for start in SUBMISSIONS:
        last = last.removeprefix(start)
    return f"{last} ({'; '.join(before[-2:])})" if before else last


def _exit(code: str) -> str:
    """Return how a job ended by its exit code, which Slurm writes as ``code:signal``."""
    status, _, number = code.partition(":")
    sent = int(number) if number.isdecimal() and int(number) else 0
    if not sent and status.isdecimal() and 128 < int(status) < 160:  # as a shell reports it
        sent = int(status) - 128
    if sent:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(sent).name}"
        return f"was killed by signal {sent}"
    return f"exited with code {status}" if status and status != "0" else "ended"


def _useful(reason: str) -> str:
    return "" if reason in ("", "None", "(null)", "Unknown") else reason
