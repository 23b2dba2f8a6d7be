"""Last words of a job that ended before it had trained its run: neither the log nor Slurm knows more."""

import re
from pathlib import Path

from core.files.reading import read_tail

__all__ = ["last_words"]

ERROR = re.compile(r"(?:\[rank\d+\]: )?(?:error: |[A-Za-z_.]*(?:Error|Exception): )")
"""How an error of ours starts, and one of Python's."""
OF_LAUNCHERS = re.compile(r"srun: |slurmstepd: |torch\.distributed\.|[WE]\d{4} |[\s=-]|$")
"""How lines start with which Slurm and torchrun say only that a process has ended, and those that hang together."""
STARTS = re.compile(r"^job \d+ starts on .*$", re.MULTILINE)
"""What the script of a job prints first, see `core.slurm.script`."""
TAIL_BYTES = 16_384
MAX_LENGTH = 200


def last_words(console: Path, since: float) -> str:
    """Return the line that tells most of the end of what a job has printed; empty where it printed nothing.

    Args:
        console: file to which it prints.
        since: seconds since 1970 when the job started; what an earlier one printed is not its own.
    """
    try:
        if console.stat().st_mtime < since:
            return ""
    except OSError:
        return ""
    printed = read_tail(console, TAIL_BYTES)
    lines = STARTS.split(printed)[-1].splitlines()
    told = [line for line in lines if ERROR.match(line)] or [
        line for line in lines if not OF_LAUNCHERS.match(line)
    ]
    return told[-1].strip()[:MAX_LENGTH] if told else ""
