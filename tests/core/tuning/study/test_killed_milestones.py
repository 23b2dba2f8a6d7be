"""A study whose processes are killed at milestones and promotions, again and again, ends as if they had not been."""

from functools import partial
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import psutil
import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.events import EpochFinished
from core.runs.folder import Run, all_runs
from core.runs.log import LogReader
from core.tuning.executors.executors import LocalProcesses
from core.tuning.search.plan import make_plan
from core.tuning.study.curves import logged_curve
from core.tuning.study.records import TrialRecord, best_first
from core.tuning.study.study import create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.killed import die, in_a_killed_process

pytestmark = pytest.mark.heavy

STEPS = [
    "core.tuning.study.claims.Claim.promote",
    "core.tuning.study.claims.Claim.reaches",
    "core.tuning.study.tuner.record_result",
    "core.tuning.study.claims.Claims.next",
]
"""Where is written down what becomes of trials."""
MOMENTS = [(step, when) for step in STEPS for when in ("before", "after")]
"""Each process but the last is killed at one of them, in this order."""
RATES = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2]
"""Each is better than those before it, so that some trials are promoted without a pause."""
PROMOTED = 2
"""The trial that is killed while it is trained."""
METRIC = "loss"
TRAINING = {"epochs": 9, "device": "cpu", "threads": 1}


def begin(folder: Path) -> None:
    base = configuration.from_dict({"data": "iris", "training": TRAINING, "loss": "cross_entropy"})
    create_study(
        folder, make_plan(base, {"optimizer.lr": RATES}, metric=METRIC, method="grid", pruner="asha")
    )


def work(folder: Path, step: str = "", when: str = "") -> None:
    """Work on the study to its end, or to a moment."""
    if step:
        kill_at(step, when)
    executor = LocalProcesses(1)
    tune(open_study(folder, "latest"), executor, emit=lambda event: None, control=RunControl())
    executor.close()
    (folder / "ended").touch()


def kill_at(name: str, when: str) -> None:
    """Let this process and its worker end before or after a step."""
    step = resolve_name(name)

    def end(*arguments: Any) -> None:
        if when == "after":
            step(*arguments)
        for worker in psutil.Process().children(recursive=True):
            worker.kill()
        die()

    owner, _, last = name.rpartition(".")
    setattr(resolve_name(owner), last, end)


def records(folder: Path) -> list[TrialRecord]:
    return open_study(folder, "latest").records()


def run_of(record: TrialRecord) -> Run:
    assert record.run is not None
    return Run(record.run)


def epochs(record: TrialRecord) -> list[int]:
    """The epochs in the log of a trial, repeated ones too."""
    events = LogReader(run_of(record).log_file).read()
    return [event.epoch for event in events if isinstance(event, EpochFinished)]


def test_a_study_killed_at_milestones_and_promotions_ends_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tuning.executors.executors._context", lambda: get_context("fork"))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        in_a_killed_process(partial(begin, folder))
    in_a_killed_process(partial(work, whole))
    for step, when in MOMENTS:
        in_a_killed_process(partial(work, killed, step, when))
        assert not (killed / "ended").exists(), f"no process came to the moment {when} {step}"
    in_a_killed_process(partial(work, killed))
    # Who is promoted depends on the order in which trials reach milestones.
    for one, other in zip(records(killed), records(whole), strict=True):
        found, expected = logged_curve(run_of(one), METRIC), logged_curve(run_of(other), METRIC)
        both = found.keys() & expected.keys()
        assert (one.params, len(both)) == (other.params, min(one.epochs, other.epochs))
        assert all(found[epoch] == expected[epoch] for epoch in both)
    best, other = (
        best_first(open_study(folder, "latest").plan, records(folder))[0] for folder in (killed, whole)
    )
    assert (best.number, best.value, best.curve) == (other.number, other.value, other.curve)
    assert best.promoted
    trained = [epochs(record) for record in records(killed)]
    assert [sorted({*each}) for each in trained] == [[*range(1, one.epochs + 1)] for one in records(killed)]
    again = [number for number, each in enumerate(trained) if len({*each}) < len(each)]
    assert again in ([], [PROMOTED]), "only what it had not saved is trained again"
    assert len(all_runs(open_study(killed, "latest").folder.trials_dir)) == len(RATES)
