"""Stand-ins for Slurm's commands: they print what the real ones print when a cluster is not well."""

from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["Answer", "stand_in"]

Answer = Callable[..., None]
PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel", "sacct", "sinfo")
SCRIPT = """\
#!/bin/sh
echo "$@" >>"$0.asked"
[ ! -e "$0.err" ] || cat "$0.err" >&2
[ ! -e "$0.out" ] || cat "$0.out"
exit "$(cat "$0.code")"
"""


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *, absent: tuple[str, ...] = ()) -> Answer:
    """Put stand-ins before the real commands, and return how to set what one of them answers.

    A command without an answer fails like one whose job is not known.
    """
    folder.mkdir(exist_ok=True)

    def answer(program: str, printed: str = "", *, error: str = "", code: int = 0) -> None:
        (folder / f"{program}.out").write_text(printed)
        (folder / f"{program}.err").write_text(error)
        (folder / f"{program}.code").write_text(str(code))

    for program in PROGRAMS:
        if program not in absent:
            (folder / program).write_text(SCRIPT)
            (folder / program).chmod(0o755)
            answer(program, error="slurm_load_jobs error: Invalid job id specified\n", code=1)
    answer("scancel")
    (folder / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", str(folder))
    return answer
