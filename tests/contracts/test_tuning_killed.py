"""A study whose processes are killed in rungs, promotions and its confirmation ends as if they had not been.

Again and again, each at a moment that is aimed at: stored in its file and on a PostgreSQL server, trained by processes
of this machine and as tasks of a Ray cluster.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from core.events import EpochFinished
from core.runs.folder import Run, all_runs
from core.runs.log import all_events
from core.tuning.confirm.result import Confirmation, confirmation
from core.tuning.confirm.study import SEED, TRIAL, open_confirmation
from core.tuning.study.curves import logged_curve
from core.tuning.study.records import TrialRecord, best_first
from tests.support.killed import in_a_killed_process
from tests.support.killed_studies import RATES, SEEDS, TRAPS, Moment, Place, begin, disturb, finish, study_in
from tests.support.repository import REPOSITORY

pytestmark = pytest.mark.heavy

URL = os.environ.get("TUI_TEST_POSTGRES", "")
METRIC = "loss"
CONFIRMED = 3
"""Trials that are trained again."""
PREPARE, RESULT = "core.tuning.study.tuner.prepare", "core.tuning.study.tuner.record_result"
RUNGS = [Moment(TRAPS)]
PROMOTIONS = [Moment(PREPARE, when, promoting=True) for when in ("before", "after")]
CONFIRMATIONS = [
    Moment(TRAPS, confirming=True),
    *(Moment(RESULT, when, confirming=True) for when in ("before", "after")),
    Moment("core.tuning.confirm.confirm.evaluate_run", "before", confirming=True),
    Moment("core.tuning.confirm.confirm.evaluate_run", "after", confirming=True),
]
RECORDED = [
    Moment(step, when)
    for step in (
        "core.tuning.study.claims.Claim.promote",
        "core.tuning.study.claims.Claim.reaches",
        RESULT,
        "core.tuning.study.claims.Claims.next",
    )
    for when in ("before", "after")
]
"""Where is written down what becomes of trials."""


def run_of(record: TrialRecord) -> Run:
    assert record.run is not None
    return Run(record.run)


def told(run: Run, kind: type[Any]) -> list[Any]:
    return [event for event in all_events(run.log_file) if isinstance(event, kind)]


def weights(run: Run) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(run.checkpoint_file("best"), weights_only=True)["model"]
    return found


def assert_equal_weights(one: Run, other: Run) -> None:
    mine, theirs = weights(one), weights(other)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def assert_trained_once(folder: Path, runs: int, kills: int) -> None:
    """No run has another folder, and no epoch is trained again but what was not saved at a kill."""
    found = all_runs(folder)
    assert len(found) == runs
    again = 0
    for run in found:
        epochs = [event.epoch for event in told(run, EpochFinished)]
        assert sorted({*epochs}) == [*range(1, max(epochs) + 1)]
        again += len(epochs) > len({*epochs})
    assert again <= kills


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A study that nothing disturbs, whose trials never pause."""
    place = Place(tmp_path_factory.mktemp("whole"))
    in_a_killed_process(partial(begin, place, "none"))
    finish(place)
    return place


def confirmed(place: Place) -> tuple[Confirmation, dict[tuple[int, int], Run]]:
    """Numbers of the runs that confirm a study, and each of them by its trial and seed."""
    study = study_in(place)
    found, runs = confirmation(study), open_confirmation(study)
    assert found is not None
    assert runs is not None
    keys = {(one.params[TRIAL], one.params[SEED]): run_of(one) for one in runs.records()}
    assert len(keys) == len(runs.records())
    return found, keys


def assert_as_if_undisturbed(place: Place, whole: Place, kills: int) -> None:
    study, other = study_in(place), study_in(whole)
    uninterrupted = {record.number: record for record in other.records()}
    for record in study.records():
        expected = uninterrupted[record.number]
        found = logged_curve(run_of(record), METRIC)
        curve = logged_curve(run_of(expected), METRIC)
        assert record.params == expected.params
        assert found == {epoch: curve[epoch] for epoch in range(1, record.epochs + 1)}
        if record.state == "completed":
            assert_equal_weights(run_of(record), run_of(expected))
    assert len(study.records()) == len(RATES)
    assert all(record.rests and record.state != "failed" for record in study.records())
    assert any(record.promoted for record in study.records() if record.state == "completed")
    assert any(record.epochs < uninterrupted[record.number].epochs for record in study.records())
    best, expected = (best_first(one.plan, one.records())[0] for one in (study, other))
    assert (best.number, best.value) == (expected.number, expected.value)
    assert_trained_once(study.folder.trials_dir, len(RATES), kills)

    (shown, runs), (_, others) = confirmed(place), confirmed(whole)
    assert (shown.done, shown.total) == (CONFIRMED * SEEDS,) * 2
    assert runs.keys() & others.keys() >= {(best.number, seed) for _, seed in runs}
    for key in runs.keys() & others.keys():
        assert_equal_weights(runs[key], others[key])
    assert_trained_once(study.folder.path / "confirm" / "trials", CONFIRMED * SEEDS, kills)
    assert shown.test is not None
    assert [run.path for run in runs.values() if run.evaluation_folder("test").is_dir()] == [shown.test.run]


def test_in_its_file(tmp_path: Path, whole: Place) -> None:
    place = Place(tmp_path / "killed")
    in_a_killed_process(partial(begin, place))
    moments = [*PROMOTIONS, *RUNGS, *RECORDED, *CONFIRMATIONS]
    disturb(place, moments)
    finish(place)
    assert_as_if_undisturbed(place, whole, len(moments))


@pytest.mark.xdist_group("postgres")
@pytest.mark.skipif(not URL, reason="needs the URL of a PostgreSQL database in TUI_TEST_POSTGRES")
def test_on_a_postgresql_server(tmp_path: Path, whole: Place) -> None:
    place = Place(tmp_path / "killed", storage=URL)
    in_a_killed_process(partial(begin, place))
    moments = [*PROMOTIONS, *RUNGS, *RECORDED[:2], *CONFIRMATIONS]
    disturb(place, moments)
    finish(place)
    assert_as_if_undisturbed(place, whole, len(moments))


@pytest.mark.xdist_group("ray")
def test_on_a_ray_cluster(ray_cluster: Any, tmp_path: Path, whole: Place) -> None:
    """Its tasks are not killed: they live until the cluster sees that their study is gone."""
    place = Place(tmp_path / "killed", cluster=ray_cluster.address)
    moments = [PROMOTIONS[-1], *RUNGS, CONFIRMATIONS[0]]
    given = json.dumps([asdict(moment) for moment in moments])
    program = [sys.executable, "-m", "tests.support.killed_studies", str(place.folder), place.cluster, given]
    told = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert_as_if_undisturbed(place, whole, len(moments))
