"""A short training on each device, from data to evaluation, in a folder that is gone afterwards."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import no_progress
from core.devices import discover
from core.doctor.check import Check
from core.errors import RunError, TorchtuiError
from core.events import Event, RunStarted, StepLogged
from core.files.temporary import hidden_folder
from core.remedies import OTHER_RUNS_DIR, Hint, setting
from core.runs.folder import Run
from core.runs.lock import missing_lock_warning
from core.session.session import execute, new_run, prepare

__all__ = ["check_training"]

PREFIX = ".torchtui-"
LONGEST_START = 60.0
"""Seconds that the first steps may take: a GPU loads its programs then."""


def check_training(runs_dir: Path, seconds: float) -> Iterator[Check]:
    """Train the default model on the digits for some seconds on each device.

    Args:
        runs_dir: its disk is tried, too: whether it has locks.
    """
    try:
        with _temporary_folder(runs_dir) as folder:
            for device in discover():
                yield _train(device.name, Path(folder), seconds)
    except OSError as error:
        yield Check(
            "training",
            False,
            f"cannot create its temporary folder: {error.strerror}",
            ("Give ", OTHER_RUNS_DIR),
        )


def _temporary_folder(runs_dir: Path) -> AbstractContextManager[Path | str]:
    """Return a folder beside the runs, or where the system has such folders while there are no runs."""
    return (
        hidden_folder(runs_dir, PREFIX) if runs_dir.is_dir() else tempfile.TemporaryDirectory(prefix=PREFIX)
    )


def _train(device: str, folder: Path, seconds: float) -> Check:
    name, control = f"train on {device}", RunControl()
    steps: list[StepLogged] = []
    unlocked: list[str] = []
    held: list[Run] = []

    def see(event: Event) -> None:
        if isinstance(event, RunStarted):
            unlocked.append(missing_lock_warning(held[0]))
        elif isinstance(event, StepLogged):
            if not steps:
                enough.start()
            steps.append(event)

    enough = threading.Timer(seconds, control.stop)
    stuck = threading.Timer(seconds + LONGEST_START, control.stop)
    try:
        config = configuration.from_dict({"training": {"device": device, "epochs": 1_000_000}})
        prepared = prepare(config, None, no_progress)
        held.append(new_run(prepared, folder))
        stuck.start()
        finished = execute(prepared, held[0], emit=see, control=control)
    except RunError as error:
        return Check(name, False, error.message, error.hint)
    except (TorchtuiError, RuntimeError, OSError) as error:
        return Check(name, False, str(error).partition("\n")[0], _what_to_do(device))
    finally:
        enough.cancel()
        stuck.cancel()
    if finished.status != "stopped" or not steps:
        return Check(name, False, finished.error or "no step finished in time", _what_to_do(device))
    rate = max(step.samples_per_second for step in steps)
    losses = f"loss {steps[0].train['loss']:.3g} to {steps[-1].train['loss']:.3g}"
    found = f"{rate:,.0f} samples/s, {steps[-1].step:,} steps, {losses}"
    if any(unlocked):
        return Check(name, False, f"{found}; but {unlocked[0]}", ("Give ", OTHER_RUNS_DIR))
    return Check(name, True, found)


def _what_to_do(device: str) -> Hint:
    if device == "cpu":
        return "Reinstall torch"
    return (f"Update the driver of {device}, or train with ", setting("training.device", "cpu"))
