"""A trial in the hands of a worker: how it is prepared, and what is kept of it at its end."""

import math
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from core.config import schema as configuration
from core.files.syncing import synced_soon
from core.runs.code import agreed_code
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.lock import is_held
from core.runs.origin.environment import environment_files, write_files
from core.tuning.executors.protocol import Outcome, TrialTask
from core.tuning.study.claims import Claim
from core.tuning.study.curves import as_curve, logged_curve
from core.tuning.study.records import TrialRecord, TrialStatus
from core.tuning.study.study import TuningStudy

__all__ = ["GivenTrial", "finished", "prepare", "result"]

LAST_SECONDS = 10.0
"""A worker whose study was killed may live for so long until it, or its cluster, sees that."""
LOOK_SECONDS = 0.1


@dataclass
class GivenTrial:
    """A trial that a worker trains, or will as soon as one is free.

    Attributes:
        milestones: epochs after which it pauses unless it is among the best there. pauses: whether it does so now.
    """

    claim: Claim
    record: TrialRecord
    task: TrialTask
    curve: dict[int, float] = field(default_factory=dict)
    milestones: tuple[int, ...] = ()
    pauses: bool = False


def prepare(study: TuningStudy, claim: Claim, threads: int, data_root: Path | None) -> GivenTrial:
    """Return a claimed trial, in the run folder of its last attempt or in a new one."""
    plan = study.plan
    config = plan.space.config(claim.params)
    folder = study.folder
    known = folder.trial_run(claim.run) if claim.run else None
    run = Run(known) if known else None
    if run is None or not run.config_file.is_file() or not _is_left(run):
        with synced_soon(folder.trials_dir):
            run = create_run(folder.trials_dir, config, also=lambda run: write_files(run, _environment()))
    claim.trained_in(run.id)
    curve = logged_curve(run, plan.metric) if known else {}
    record = TrialRecord(
        *(claim.number, "running", claim.params),
        epochs=max(curve, default=0),
        curve=as_curve(curve),
        run=run.path,
        started=time.time(),
        seconds=claim.seconds,
        promoted=claim.promoted,
        origin=claim.origin,
    )
    task = TrialTask(
        trial=claim.number,
        config=configuration.to_given(config),
        run=run.path,
        metric=plan.metric,
        threads=threads,
        waits=plan.pruned_by_epoch,
        data_root=data_root,
        code=agreed_code(config, run),
        weighed=plan.weighed,
    )
    ends = config.training.epochs
    return GivenTrial(
        claim, record, task, curve, tuple(at for at in plan.milestones(claim.number) if at < ends)
    )


def _is_left(run: Run) -> bool:
    """Return whether nobody trains a run any more, or stops to do so shortly."""
    deadline = time.monotonic() + LAST_SECONDS
    while is_held(run):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def finished(running: GivenTrial, outcome: Outcome) -> TrialRecord:
    """The record of a trial that has ended for good, or until it is promoted."""
    last = max(running.curve, default=0)
    state: TrialStatus = "pruned" if outcome.state == "stopped" else outcome.state
    reason = outcome.reason
    if state == "pruned" and running.pauses:
        state, reason = "paused", f"paused after epoch {last}"
    elif outcome.state == "pruned":
        reason = f"pruned after epoch {last}"
    elif outcome.state == "stopped":
        reason = "stopped by the user"
    return replace(
        running.record,
        state=state,
        value=outcome.value,
        epochs=outcome.epochs,
        curve=as_curve(running.curve),
        reason=reason,
        costs=outcome.costs,
        seconds=running.claim.seconds + outcome.seconds,
    )


def result(record: TrialRecord) -> dict[str, Any]:
    """Return what the storage keeps of it; JSON has no NaN."""
    return {
        "state": record.state,
        "value": record.value,
        "epochs": record.epochs,
        "seconds": round(record.seconds, 3),
        "reason": record.reason,
        "costs": record.costs,
        "curve": [None if math.isnan(value) else value for value in record.curve],
    }


_environment = cache(environment_files)
"""On what all trials of this process are made."""
