"""Last words of a job that ended before it had trained its run: neither the log nor Slurm knows more."""

import re

from core.files.reading import read_tail
from core.runs.folder import Run

__all__ = ["last_words"]

ERROR = re.compile(r"(?:\[rank\d+\]: )?(?:error: |[A-Za-z_.]*(?:Error|Exception): )")
"""How an error of ours starts, and one of Python's."""
OF_LAUNCHERS = re.compile(r"srun: |slurmstepd: |torch\.distributed\.|[WE]\d{4} |[\s=-]|$")
"""How lines start with which Slurm and torchrun say only that a process has ended, and those that hang together."""
STARTS = re.compile(r"^job \d+ starts on .*$", re.MULTILINE)
"""What the script of a job prints first, see `core.slurm.script`."""
TAIL_BYTES = 16_384
MAX_LENGTH = 200


def last_words(run: Run, since: float) -> str:
    """Return the line that tells most of the end of what a job of a run has printed; empty where it printed nothing.

    Args:
        since: seconds since 1970 when the job started; what an earlier one printed is not its own.
    """
    try:
        if run.console_file.stat().st_mtime < since:
            return ""
    except OSError:
        return ""
    printed = read_tail(run.console_file, TAIL_BYTES)
    lines = STARTS.split(printed)[-1].splitlines()
    told = [line for line in lines if ERROR.match(line)] or [
        line for line in lines if not OF_LAUNCHERS.match(line)
    ]
    return told[-1].strip()[:MAX_LENGTH] if told else ""
