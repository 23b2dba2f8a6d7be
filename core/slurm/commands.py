"""Slurm's commands: each is called with a time limit, and what goes wrong is one line."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping

from core.errors import RunError, TorchtuiError
from core.slurm.reasons import refusal

__all__ = ["SlurmSilent", "Withdrawn", "call", "ensure_installed", "missing"]

SECONDS = 15.0
"""After which a controller that does not answer is given up for now."""
LOOK_SECONDS = 0.1
"""How often it is looked whether the answer is still wanted."""
SILENCE = re.compile(
    r"timed out|unable to contact|connection refused|communication|try again|backup controller", re.IGNORECASE
)


class SlurmSilent(TorchtuiError):
    """Slurm's controller does not answer now; it may later."""


class Withdrawn(TorchtuiError):
    """Nobody waits for the answer any more."""


def missing() -> str:
    """Return why no job can be submitted from this machine, found without asking Slurm; empty if nothing is missing."""
    absent = [name for name in ("sbatch", "squeue", "scontrol", "scancel") if shutil.which(name) is None]
    return f"Slurm is not installed here: there is no {absent[0]}" if absent else ""


def ensure_installed() -> None:
    """Raise RunError where no job can be submitted from this machine."""
    if reason := missing():
        raise RunError(reason, "Submit from a machine of the cluster, or train here")


def call(
    program: str,
    *arguments: str,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
    refused: bool = False,
    spoken: bool = False,
    should_stop: Callable[[], bool] | None = None,
) -> str:
    """Return what a command of Slurm's prints.

    Args:
        given: its input.
        environment: of the command, which a job inherits; None for that of this process, with times in seconds
            since 1970 and messages in English.
        refused: its last words say why it refuses a job.
        spoken: what it says beside its results is the answer.
        should_stop: asked meanwhile; the command ends once the answer is true.

    Raises:
        RunError: it fails, or cannot be run.
        SlurmSilent: Slurm does not answer.
        Withdrawn: it was stopped.
    """
    plain = (
        {**os.environ, "SLURM_TIME_FORMAT": "%s", "LC_ALL": "C"} if environment is None else {**environment}
    )
    for name in [name for name in plain if name.startswith(("SQUEUE_", "SINFO_", "SACCT_", "SBATCH_"))]:
        del plain[name]  # else a user's own formats
    try:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=plain,
        )
    except OSError as error:
        raise RunError(f"cannot run {program}: {error.strerror}") from None
    with process:
        try:
            printed, said = _answer(process, given, should_stop)
        except subprocess.TimeoutExpired:
            raise SlurmSilent(f"Slurm does not answer: {program} has waited {SECONDS:.0f} seconds") from None
        finally:
            process.kill()
    if not process.returncode:
        return said if spoken else printed
    words = refusal(said or printed)
    if SILENCE.search(words):
        raise SlurmSilent(f"Slurm does not answer: {words}")
    raise RunError(f"Slurm refuses the job: {words}" if refused else f"{program}: {words}")


def _answer(
    process: "subprocess.Popen[str]", given: str | None, should_stop: Callable[[], bool] | None
) -> tuple[str, str]:
    """Return what a command prints, and what it says beside that."""
    if should_stop is None:
        return process.communicate(given, SECONDS)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return process.communicate(given, LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if should_stop():
                raise Withdrawn(f"{process.args!r} is not needed any more") from None
            if time.monotonic() > deadline:
                raise
            given = None  # what is left of it is sent all the same; given again it is an error
