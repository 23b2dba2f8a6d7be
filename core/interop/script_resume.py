"""Earlier runs of a script, and how far they had come."""

import re
from dataclasses import dataclass
from pathlib import Path

from core.config.yaml_files import read_yaml
from core.errors import ConfigError, RunError
from core.events import EpochFinished, RunStarted, StepLogged
from core.interop.best_epoch import Best
from core.interop.script_files import plain_name
from core.remedies import LIST_RUNS
from core.runs.folder import Run, all_runs, find_run
from core.runs.lock import is_held
from core.runs.log import all_events
from core.runs.script import script_of

__all__ = ["Resumed", "run_to_resume", "state_of"]


@dataclass(frozen=True)
class Resumed:
    """How far a run had come.

    Attributes:
        started: its last start. epochs, step: those that are done.
    """

    started: RunStarted
    epochs: int
    step: int


def run_to_resume(runs_dir: Path, name: str, script: str, wanted: bool | str | Path) -> Run | None:
    """Return the run that a script wants to resume; None for a new one.

    Args:
        name: of the script's runs. script: name of its file.
        wanted: a reference or a path; or True, the newest run of that script and name that nobody writes, if any.

    Raises:
        RunError: there is none of that reference, or a script did not write it.
    """
    if wanted is False:
        return None
    if wanted is not True:
        run = find_run(runs_dir, str(wanted))
        if not _script_of(run):
            raise RunError(f"{run.id} was not written by a script", (LIST_RUNS,))
        return run
    named = re.compile(rf"[\d-]+_\d{{4}}_{re.escape(plain_name(name))}_\w{{3}}")
    of_this_name = (run for run in all_runs(runs_dir) if named.fullmatch(run.id) and not is_held(run))
    return next((run for run in of_this_name if _script_of(run) == script), None)


def state_of(run: Run, best: Best) -> Resumed:
    """Return how far a run had come: to its last checkpoint, or, where it has none, to the end of its log.

    Args:
        best: takes in the epochs that are done.

    Raises:
        RunError: it has no log.
        RunDamaged: its checkpoint is damaged.
    """
    started, finished, step = None, list[EpochFinished](), 0
    for event in all_events(run.log_file):
        if isinstance(event, RunStarted):
            started, step = event, event.step
            finished = [epoch for epoch in finished if epoch.epoch <= event.epoch]
        elif isinstance(event, EpochFinished):
            finished.append(event)
            step = event.step
        elif isinstance(event, StepLogged):
            step = event.step
    if started is None:
        raise RunError(f"{run.id} has no log to resume", (LIST_RUNS,))
    epochs = finished[-1].epoch if finished else 0
    if (progress := _progress_of_checkpoint(run)) is not None:
        epochs, step = progress
    for epoch in finished:
        if epoch.epoch <= epochs:
            best.judge_epoch(epoch.epoch, epoch.validation, epoch.train)
    return Resumed(started, epochs, step)


def _progress_of_checkpoint(run: Run) -> tuple[int, int] | None:
    """Epochs and steps done at the last checkpoint; None without one."""
    if not run.checkpoint_file("last").is_file():
        return None
    from core.runs.checkpoints import load_checkpoint

    progress = load_checkpoint(run, "last").get("progress", {})
    return int(progress.get("epoch", 0)), int(progress.get("step", 0))


def _script_of(run: Run) -> str:
    """The script that wrote a run; empty for others."""
    try:
        return script_of(read_yaml(run.config_file, follow_links=False))
    except ConfigError:
        return ""
