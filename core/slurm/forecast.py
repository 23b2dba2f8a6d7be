"""Forecasts of what Slurm would do with a job, asked before it is submitted."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from core.errors import RunError, TorchtuiError
from core.slurm.client import line_of, partitions
from core.slurm.commands import call, ensure_installed
from core.slurm.numbers import in_words
from core.slurm.script import test_script
from core.slurm.settings import SlurmSettings, seconds_of

__all__ = ["Forecast", "forecast"]

STARTS = re.compile(r"to start at (\S+).* in partition (\S+)")
"""As ``sbatch --test-only`` answers."""
NEVER_SECONDS = 300 * 86_400
"""A start so far away says only that the jobs which run have no time limit."""


@dataclass(frozen=True)
class Forecast:
    """Forecast of what would become of a job.

    Attributes:
        partition: where it would run.
        waiting: jobs that wait there now; most of them come before it.
        start: seconds since 1970 at which Slurm expects it to start; 0 if it does not know.
    """

    partition: str
    waiting: int
    start: int = 0


def forecast(settings: SlurmSettings, should_stop: Callable[[], bool]) -> Forecast | None:
    """Return what would become of a job with these settings; nothing is submitted.

    Args:
        should_stop: asked meanwhile; once it is true nobody waits for the answer.

    Returns:
        None where Slurm's answer is not understood.

    Raises:
        RunError: Slurm would refuse the job, or not start it, or is not installed.
        SlurmSilent: it does not answer.
        Withdrawn: it was stopped.
    """
    ensure_installed()
    script = test_script(settings)
    said = call("sbatch", "--test-only", given=script, refused=True, spoken=True, should_stop=should_stop)
    found = STARTS.search(said)
    if found is None:
        return None
    _ensure_it_may_start(settings, found[2])
    start = int(found[1]) if found[1].isdecimal() else 0
    start = 0 if start > time.time() + NEVER_SECONDS else start
    return Forecast(found[2], len(line_of(found[2], should_stop)), start)


def _ensure_it_may_start(settings: SlurmSettings, partition: str) -> None:
    """Raise RunError for a job that asks for more time than its partition allows: Slurm may take it all the same."""
    limit = 0
    with suppress(TorchtuiError):  # whoever submits it is told
        limit = next((one.limit for one in partitions() if one.name == partition), 0) if settings.time else 0
    if limit and seconds_of(settings.time) > limit:
        raise RunError(
            f"the job would not start: {partition} allows at most {in_words(limit)}, not {settings.time}, "
            "unless its QOS allows more"
        )
