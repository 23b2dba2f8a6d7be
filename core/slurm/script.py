"""The script of a job that trains a run: what `sbatch` takes, and what a user can read, keep and change.

Slurm signals the script alone, some time before the time limit (``--signal=B:USR1``): no process of torchrun, which
would end with a traceback. The script asks the run to stop, as anyone else does, through its folder; the run saves,
and the script gives the job back to the queue. There it starts again, and the run resumes.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.slurm.settings import SlurmSettings

__all__ = ["job_script"]

FIRST_PORT, PORTS = 20_000, 20_000
"""Where the first node's processes meet: a port that follows from the job, so that jobs of one node do not share it."""
WIDTH = 100

END = """\
child=$!
wait "$child"
while kill -0 "$child" 2>/dev/null; do
    if [ -n "$warned" ]; then echo stop >>"$run/requests.txt"; sleep 1; else wait "$child"; fi
done
wait "$child"
code=$?"""
"""A signal interrupts ``wait``; once the process has ended, it gives its exit code as often as it is asked. A run that
is just being started forgets what was asked before: it is asked again."""

REQUEUE = """\
if [ -n "$warned" ] && tail -n 5 "$run/events.jsonl" | grep -q '"run_finished".*"status": "stopped"'; then
    scontrol requeue "$SLURM_JOB_ID" && exit 0
fi
exit "$code\""""


def job_script(
    settings: SlurmSettings,
    command: Sequence[str],
    *,
    name: str,
    folder: Path,
    output: Path | None = None,
    torchrun: Sequence[str] = ("torchrun",),
) -> str:
    """Return the script of a job.

    Args:
        command: trains the run from its last checkpoint, or from the start; its words are quoted here.
        name: of the job, shown in the queue.
        folder: of the run, on a disk that all nodes share.
        output: file for what the job prints; None for one in `folder`.
        torchrun: starts the processes where there are several.

    Raises:
        ValueError: the command, a path or the name has a line break or another control character.
    """
    for text in (*command, *torchrun, name, str(folder), str(output or "")):
        if re.search(r"[\x00-\x1f\x7f]", text):
            raise ValueError(f"control characters cannot be in a job's script: {text!r}")
    lines = ["#!/bin/bash", *_options(settings, name, output or folder / "console.log"), ""]
    lines += [
        f"run={shlex.quote(str(folder))}",
        "# Soon before the time limit: the run saves, and its job goes back into the queue.",
        "trap warned=1 USR1",
        "trap : TERM  # the run itself saves",
        "",
    ]
    lines += [*settings.environment, ""] if settings.environment else []
    return "\n".join([*lines, f"{_started(settings, command, torchrun)} &", END, REQUEUE]) + "\n"


def _options(settings: SlurmSettings, name: str, output: Path) -> Iterator[str]:
    """Yield the lines for sbatch, those that belong together on one."""
    job = re.sub(r"[^\w.+-]+", "-", name).strip("-") or "tui"
    asked = [
        f"--job-name={job}",
        f"--nodes={settings.nodes}",
        "--ntasks-per-node=1",
        f"--partition={settings.partition}" if settings.partition else "",
        f"--account={settings.account}" if settings.account else "",
        f"--gpus-per-node={settings.gpus}" if settings.gpus else "",
        f"--cpus-per-task={settings.cores}" if settings.cores else "",
        f"--mem={settings.memory}" if settings.memory else "",
        f"--time={settings.time}" if settings.time else "",
        f"--signal=B:USR1@{settings.warning}",
        "--requeue",
        "--open-mode=append",
    ]
    line = "#SBATCH"
    for option in filter(None, asked):
        if len(line) + len(option) > WIDTH:
            yield line
            line = "#SBATCH"
        line += f" {option}"
    yield line
    # Slurm replaces %j and the like, and takes the word as it is quoted.
    path = str(output).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
    yield f'#SBATCH --output="{path}"'
    for option in settings.options:
        yield f"#SBATCH {option}"


def _started(settings: SlurmSettings, command: Sequence[str], torchrun: Sequence[str]) -> str:
    """Return the line of the shell that trains in one process, or on all nodes by torchrun."""
    words = shlex.join(command)
    if settings.nodes == settings.processes_per_node == 1:
        return words
    # srun hands the cores of a task on only if it is asked (since version 22.05).
    cores = f" --cpus-per-task={settings.cores}" if settings.cores else ""
    return (
        'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)\n'
        f"port=$(({FIRST_PORT} + SLURM_JOB_ID % {PORTS}))\n"
        f"srun{cores} {shlex.join(torchrun)} --nnodes {settings.nodes}"
        f" --nproc-per-node {settings.processes_per_node} \\\n"
        '    --rdzv-id "$SLURM_JOB_ID-$SLURM_RESTART_COUNT" --rdzv-backend c10d --rdzv-endpoint "$head:$port" \\\n'
        f"    --no-python {words}"
    )
