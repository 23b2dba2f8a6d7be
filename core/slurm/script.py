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

__all__ = ["array_script", "job_script", "own_script", "test_script"]

FIRST_PORT, PORTS = 20_000, 20_000
"""Where the first node's processes meet: a port that follows from the job, so that jobs of one node do not share it."""
WIDTH = 100

TORCHRUN = ("torchrun",)

ASK = """\
ask_to_stop() {
    [ -n "$run" ] || run=$(find_run)
    [ -z "$run" ] || echo stop >>"$run/requests.txt"
}
last_step() {
    grep '"checkpoint_saved".*"kind": "last"' "$run/events.jsonl" 2>/dev/null | tail -n 1 | grep -o '"step": [0-9]*'
}"""
NO_STEP = (
    "its job was requeued, yet made no step before its time limit; it can be resumed in a job with more time"
)
END = f"""\
child=$!
# A signal interrupts wait, or came before it. A run that is being started forgets what was asked: it is asked again.
while kill -0 "$child" 2>/dev/null; do
    if [ -n "$warned" ]; then ask_to_stop; sleep 1; else wait "$child"; fi
done
wait "$child"
code=$?
stopped=$(tail -n 5 "$run/events.jsonl" 2>/dev/null | grep '"run_finished".*"status": "stopped"' | tail -n 1)
if [ -n "$warned" ] && [ -n "$stopped" ]; then
    if [ "${{SLURM_RESTART_COUNT:-0}}" != 0 ] && [ "$(last_step)" = "$before" ]; then  # else it goes on for ever
        echo "$stopped" | sed 's/"status": "stopped", "error": ""/"status": "failed", "error": "{NO_STEP}"/' \\
            >>"$run/events.jsonl"
        exit 1
    fi
    scontrol requeue "$SLURM_JOB_ID" && exit 0
fi
exit "$code\""""


ARRAY_END = """\
child=$!
[ -z "$warned" ] || kill -USR1 "$child"
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
wait "$child"
code=$?
if [ -n "$warned" ]; then
    saved=$(find "$folder" -path '*/checkpoints/*' -newermt "@$began" -print -quit 2>/dev/null)
    if [ "${SLURM_RESTART_COUNT:-0}" = 0 ] || [ -n "$saved" ]; then  # else it goes on for ever
        scontrol requeue "$SLURM_JOB_ID" && exit 0
    fi
    echo "this job was requeued, yet nothing was saved before its time limit; give the jobs more time"
fi
exit "$code\""""


def job_script(
    settings: SlurmSettings,
    command: Sequence[str],
    *,
    name: str,
    folder: Path,
    output: Path,
    torchrun: Sequence[str] = TORCHRUN,
) -> str:
    """Return the script of a job that trains an existing run.

    Args:
        command: trains the run from its last checkpoint, or from the start; its words are quoted here.
        name: of the job, shown in the queue.
        folder: of the run, on a disk that all nodes share.
        output: file for what the job prints.
        torchrun: starts the processes where there are several.

    Raises:
        ValueError: the command, a path or the name has a line break or another control character.
    """
    _ensure_plain(*command, *torchrun, name, str(folder), str(output))
    head = [f"run={shlex.quote(str(folder))}"]
    return _assembled(settings, name, output, head, _started(settings, shlex.join(command), torchrun))


def own_script(
    settings: SlurmSettings,
    command: Sequence[str],
    resume: Sequence[str],
    *,
    name: str,
    runs_dir: Path,
) -> str:
    """Return a script to submit by hand, as often as one likes: each job trains a new run.

    Args:
        command: trains a new run.
        resume: words that resume the run whose folder follows.
        name: of the job, shown in the queue.
        runs_dir: where the run gets its folder, on a disk that all nodes share.

    Raises:
        ValueError: as for `job_script`.
    """
    _ensure_plain(*command, *resume, name, str(runs_dir))
    head = [
        "# A job that was requeued resumes the run that it has started.",
        f"runs={shlex.quote(str(runs_dir))}",
        "find_run() {",
        """    grep -ls "\\"id\\":\\"$SLURM_JOB_ID\\"" "$runs"/*/job.json | tail -n 1 | sed 's|/job.json$||'""",
        "}",
        '[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || run=$(find_run)',
        'if [ -n "$run" ]; then',
        f'    set -- {shlex.join(resume)} "$run"',
        "else",
        f"    set -- {shlex.join(command)}",
        "fi",
    ]
    return _assembled(settings, name, None, head, _started(settings, '"$@"', TORCHRUN))


def array_script(
    settings: SlurmSettings,
    command: Sequence[str],
    *,
    name: str,
    jobs: int,
    folder: Path,
    given: str = "worker",
) -> str:
    """Return the script of an array of jobs, each of which works on the same thing.

    The command is one process that saves and ends on SIGUSR1, and that does nothing once there is nothing left to do.

    Args:
        command: of each job.
        jobs: how many of them.
        folder: of what they work on; gets a file for what each prints, such as ``worker-31_1.log`` of job 31.
        given: first part of the names of these files.

    Raises:
        ValueError: as for `job_script`.
    """
    _ensure_plain(*command, name, str(folder))
    head = [f"folder={shlex.quote(str(folder))}", "began=$(date +%s)"]
    lines = [
        "#!/bin/bash",
        f"#SBATCH --array=1-{jobs}",
        *_options(settings, name, folder / f"{given}-%A_%a.log"),
        "",
    ]
    lines += ['trap \'warned=1; [ -z "$child" ] || kill -USR1 "$child"\' USR1  # soon before the time limit']
    lines += ["trap : TERM  # the worker itself saves", ""]
    lines += [*settings.setup, ""] if settings.setup else []
    return "\n".join([*lines, *head, "", f"{shlex.join(command)} &", ARRAY_END]) + "\n"


def test_script(settings: SlurmSettings) -> str:
    """Return the script of a job that asks for the same and does nothing."""
    return "\n".join(["#!/bin/bash", *_options(settings, "tui", None), "true"]) + "\n"


def _ensure_plain(*texts: str) -> None:
    for text in texts:
        if re.search(r"[\x00-\x1f\x7f]", text):
            raise ValueError(f"control characters cannot be in a job's script: {text!r}")


def _assembled(
    settings: SlurmSettings, name: str, output: Path | None, head: Sequence[str], started: str
) -> str:
    lines = ["#!/bin/bash", *_options(settings, name, output), ""]
    lines += [ASK, "trap 'warned=1; [ -z \"$child\" ] || ask_to_stop' USR1  # soon before the time limit"]
    lines += ["trap : TERM  # the run itself saves", 'echo "job $SLURM_JOB_ID starts on $(uname -n)"', ""]
    lines += [*settings.setup, ""] if settings.setup else []
    return "\n".join([*lines, *head, "before=$(last_step)", "", f"{started} &", END]) + "\n"


def _options(settings: SlurmSettings, name: str, output: Path | None) -> Iterator[str]:
    """Yield the lines for sbatch, those that belong together on one."""
    job = re.sub(r"[^\w.+-]+", "-", name).strip("-") or "tui"
    asked = [
        f"--job-name={job}",
        f"--nodes={settings.nodes}",
        "--ntasks-per-node=1",
        f"--partition={settings.partition}" if settings.partition else "",
        f"--account={settings.account}" if settings.account else "",
        f"--gpus-per-node={settings.gpus_per_node}" if settings.gpus_per_node else "",
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
    if output is not None:
        yield _output(output)
    for option in settings.sbatch:
        yield f"#SBATCH {option}"


def _output(output: Path) -> str:
    # Slurm replaces %j and the like, and takes the word as it is quoted.
    folder = str(output.parent).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
    return f'#SBATCH --output="{folder}/{output.name}"'


def _started(settings: SlurmSettings, words: str, torchrun: Sequence[str]) -> str:
    """Return the line of the shell that trains in one process, or on all nodes by torchrun."""
    if settings.nodes == settings.launched_per_node == 1:
        return words
    # srun hands the cores of a task on only if it is asked (since version 22.05).
    cores = f" --cpus-per-task={settings.cores}" if settings.cores else ""
    return (
        "head=$(uname -n)  # this script runs on the first node, whose name in Slurm may be unknown to the network\n"
        f"port=$(({FIRST_PORT} + SLURM_JOB_ID % {PORTS}))\n"
        f"srun{cores} {shlex.join(torchrun)} --nnodes {settings.nodes}"
        f" --nproc-per-node {settings.launched_per_node} \\\n"
        '    --rdzv-id "$SLURM_JOB_ID-$SLURM_RESTART_COUNT" --rdzv-backend c10d --rdzv-endpoint "$head:$port" \\\n'
        f"    --no-python {words}"
    )
