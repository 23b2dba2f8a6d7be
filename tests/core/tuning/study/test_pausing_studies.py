"""Trials that pause at milestones: their weights, their state in the storage, what search methods see of them."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from core.config import schema as configuration
from core.control import RunControl
from core.runs.folder import Run
from core.tuning.executors.executors import LocalProcesses
from core.tuning.search.plan import Plan, make_plan
from core.tuning.study.claims import Claim, Claims, give_back, record_result
from core.tuning.study.optuna_private import SeenStudy
from core.tuning.study.presence import Presence
from core.tuning.study.sampled import seen_by_sampler
from core.tuning.study.study import TuningStudy, create_study
from core.tuning.study.tuner import tune

TRAINING = {"epochs": 9, "device": "cpu", "threads": 1}


def plan_of(pruner: str, trials: int, **facts: Any) -> Plan:
    base = configuration.from_dict(
        {"data": "iris", "model": "mlp", "training": TRAINING, "loss": "cross_entropy"}
    )
    options: dict[str, Any] = {"method": "random", "pruner": pruner, "trials": trials, **facts}
    return make_plan(base, {"optimizer.lr": {"low": 1e-5, "high": 0.1, "log": True}}, **options)


def paused(claim: Claim, value: float, at: int) -> dict[str, Any]:
    claim.reaches(at, value)
    facts = {"value": value, "epochs": at, "seconds": 1.0, "reason": "", "curve": [value]}
    return {"state": "paused", **facts}


def claims_of(study: TuningStudy) -> Claims:
    return Claims(study, Presence(study.folder, study.optuna))


def wait_at_the_first(study: TuningStudy, claims: Claims, values: list[float]) -> None:
    """Let some trials pause after one epoch."""
    for value in values:
        claim = claims.next()
        assert claim is not None
        (study.folder.trials_dir / f"run{claim.number}").mkdir()
        claim.trained_in(f"run{claim.number}")
        assert record_result(study, claim.attempt.number, paused(claim, value, 1))


def seen(study: TuningStudy) -> list[tuple[int, TrialState, float | None]]:
    trials = seen_by_sampler(study.plan, study.optuna.get_trials(deepcopy=False))
    return [
        (
            trial.user_attrs["trial"],
            trial.state,
            trial.intermediate_values.get(max(trial.intermediate_values, default=0)),
        )
        for trial in sorted(trials, key=lambda trial: trial.user_attrs["trial"])
    ]


@pytest.mark.heavy
def test_a_promoted_trials_weights_equal_those_of_one_that_never_paused(tmp_path: Path) -> None:
    executor = LocalProcesses(1)
    try:
        runs = {}
        for pruner in ("asha", "none"):
            study = create_study(tmp_path / pruner, plan_of(pruner, 7))
            finished = tune(study, executor, emit=lambda event: None, control=RunControl())
            runs[pruner] = {record.number: record for record in finished.records}
    finally:
        executor.close()
    resumed = [one for one in runs["asha"].values() if one.state == "completed" and one.promoted]
    assert resumed
    for one in resumed:
        other = runs["none"][one.number]
        assert (one.params, one.value, one.curve) == (other.params, other.value, other.curve)
        weights = [
            torch.load(Run(record.run or Path()).checkpoint_file("best"), weights_only=True)["model"]
            for record in (one, other)
        ]
        assert weights[0].keys() == weights[1].keys()
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_trial_is_one_trial_for_the_search_method_however_often_it_paused(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_of("asha", 9))
    claims = claims_of(study)
    wait_at_the_first(study, claims, [0.5, 0.4])
    waiting = [(0, TrialState.PRUNED, 0.5), (1, TrialState.PRUNED, 0.4)]
    assert seen(study) == waiting
    promoted = claims.next()
    assert promoted is not None
    assert (promoted.number, promoted.judged, promoted.promoted, promoted.seconds) == (1, {1}, 1, 1.0)
    assert seen(study) == waiting  # as before, while it is trained on
    states = [(record.state, record.place, record.promoted) for record in study.records()]
    assert states == [("paused", 1, 0), ("running", None, 1)]
    result = {"value": 0.1, "epochs": 9, "seconds": 3.0, "reason": "", "curve": [0.4, *[0.1] * 8]}
    assert record_result(study, promoted.attempt.number, {"state": "completed", **result})
    assert seen(study)[1] == (1, TrialState.COMPLETE, 0.4)
    assert len(study.optuna.get_trials(deepcopy=False)) == 3


def test_a_process_that_is_killed_at_a_milestone_leaves_its_trial_waiting(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_of("asha", 9))
    lost, claims = claims_of(study), claims_of(study)
    claim = lost.next()
    assert claim is not None
    claim.reaches(1, 0.5)
    give_back(study, claim.attempt.number)  # as whoever finds it does
    assert [(record.state, record.place) for record in study.records()] == [("paused", 1)]
    following = claims.next()
    assert following is not None
    assert following.number == 1
    following.reaches(1, 0.7)
    following.promote(1)
    give_back(study, following.attempt.number)  # it had been promoted: it is taken up again
    again = claims.next()
    assert again is not None
    assert (again.number, again.judged) == (1, {1})


def test_failed_trials_are_as_bad_as_any_for_the_search_method(tmp_path: Path) -> None:
    facts = {"epochs": 5, "seconds": 1.0, "reason": "x", "curve": []}
    for method, expected in (("bayes", [TrialState.PRUNED, None]), ("gp", [TrialState.COMPLETE, 0.9])):
        study = create_study(tmp_path / method, plan_of("none", 9, method=method))
        claims = claims_of(study)
        for state, value in (("completed", 0.9), ("completed", 0.2), ("failed", None), ("diverged", None)):
            claim = claims.next()
            assert claim is not None
            assert record_result(study, claim.attempt.number, {"state": state, "value": value, **facts})
        trials = seen_by_sampler(study.plan, study.optuna.get_trials(deepcopy=False))
        assert [[trial.state, trial.value] for trial in trials[2:]] == [expected] * 2
        assert not any(trial.intermediate_values for trial in trials)


def test_samplers_read_the_trials_that_a_seen_study_shows(tmp_path: Path) -> None:
    """The canary: were Optuna to read trials in another way, its sampler would see every attempt as a trial."""
    study = create_study(tmp_path, plan_of("asha", 99))
    wait_at_the_first(study, claims_of(study), [0.5, 0.4])

    def see(trials: list[FrozenTrial]) -> list[FrozenTrial]:
        return [trials[0]] * 30

    shown = SeenStudy(study.optuna, see)
    assert len(shown.get_trials(deepcopy=False)) == 30
    assert shown.get_trials(states=(TrialState.COMPLETE,)) == []
    sampler = TPESampler(seed=0, n_startup_trials=10, multivariate=True, constant_liar=False)
    space = sampler.infer_relative_search_space(shown, study.optuna.get_trials()[0])
    drawn = sampler.sample_relative(shown, study.optuna.get_trials()[0], space)
    assert drawn.keys() == {"optimizer.lr"}  # the storage holds too few trials to draw any
    assert sampler.sample_relative(study.optuna, study.optuna.get_trials()[0], space) == {}
    assert math.isfinite(drawn["optimizer.lr"])
