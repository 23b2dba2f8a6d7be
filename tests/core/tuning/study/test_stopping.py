"""When a study has done enough: its trials, their noise, their failures."""

import math
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from core.config import schema as configuration
from core.tuning.search.plan import Plan, make_plan
from core.tuning.study.records import TrialRecord
from core.tuning.study.stopping import (
    beyond_limits,
    enough,
    noise_of,
    same_failure,
    seconds_left,
    without_improvement,
)

RANGES = {"optimizer.lr": [0.1, 0.2]}


def plan_of(**facts: Any) -> Plan:
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 9}})
    return make_plan(base, RANGES, method="random", **facts)


def trials(*values: float | None, curve: tuple[float, ...] = ()) -> list[TrialRecord]:
    return [
        TrialRecord(number, "failed" if value is None else "completed", {}, value, epochs=9, curve=curve)
        for number, value in enumerate(values)
    ]


def test_the_noise_of_a_curve_is_that_of_its_best_epochs_without_their_trend() -> None:
    assert noise_of([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0]) < 1e-12
    zigzag = [-epoch + 0.1 * (-1) ** epoch for epoch in range(32)]
    assert 0.05 < noise_of(zigzag) < 0.15
    assert (
        noise_of([*zigzag, *(10.0**epoch for epoch in range(8))]) < 0.2
    )  # what comes after the best says nothing
    assert noise_of([-value for value in zigzag], "maximize") == pytest.approx(noise_of(zigzag))
    assert noise_of([1.0, 2.0]) == noise_of([math.nan] * 9) == 0.0


@pytest.mark.parametrize(("better_every", "ends"), [(0, True), (5, False)])
def test_patience_ends_a_flat_study_and_not_one_that_improves(better_every: int, ends: bool) -> None:
    plan, draws = plan_of(patience=15), Random(0)
    found: list[TrialRecord] = []
    for number in range(60):
        level = 0.5 - (0.02 * (number // better_every) if better_every else 0.0)
        curve = tuple(level + math.exp(-epoch) + draws.gauss(0, 0.005) for epoch in range(20))
        found.append(TrialRecord(number, "completed", {}, min(curve), epochs=20, curve=curve))
    count = next((at for at in range(60) if enough(plan, found[:at], at)), None)
    assert (count is not None and count <= 40) if ends else count is None


def test_only_an_improvement_beyond_the_noise_starts_patience_anew() -> None:
    plan = plan_of()
    assert without_improvement(plan, trials(0.5, 0.4, None, 0.45))[0] == 2
    noisy = (0.5, 0.8, 0.7, 0.5, 0.9, 0.5, 0.8, 0.7, 0.7, 0.6, 0.9, 0.8, 0.9, 0.7, 0.9, 0.9)
    count, noise = without_improvement(plan, trials(0.5, 0.49, 0.47, curve=noisy))
    assert (count, noise > 0.03) == (2, True)
    assert without_improvement(plan, trials(0.5, 0.1, curve=noisy))[0] == 0
    assert without_improvement(plan_of(metric="accuracy"), trials(0.5, 0.6, 0.55))[0] == 1


def of_size(found: list[TrialRecord], *sizes: float) -> list[TrialRecord]:
    return [replace(trial, costs={"parameters": size}) for trial, size in zip(found, sizes, strict=True)]


def test_a_trial_that_misses_a_limit_is_no_improvement() -> None:
    plan = plan_of(where=("parameters<100",))
    found = of_size(trials(0.5, 0.4, 0.3), 50.0, 200.0, 150.0)
    assert without_improvement(plan, found)[0] == 2
    assert beyond_limits(plan, found) == ""
    assert beyond_limits(plan, found[1:]) == (
        "none of 2 trials that completed keeps to parameters<100, the nearest has parameters 150"
    )
    assert beyond_limits(plan, trials(None)) == ""


def test_with_two_objectives_what_no_other_beats_in_both_is_an_improvement() -> None:
    plan = plan_of(second="parameters", patience=2)
    found = of_size(trials(0.5, 0.6, 0.6, 0.5), 50.0, 40.0, 45.0, 50.0)
    assert without_improvement(plan, found[:2])[0] == 0
    assert without_improvement(plan, found)[0] == 2
    assert "the last 2 trials is beaten by an earlier one in loss and parameters" in enough(plan, found, 4)


def test_patience_counts_trials_of_this_session_and_epochs_count_all() -> None:
    plan, found = plan_of(patience=2), trials(0.5, 0.6, 0.7)
    assert "the last 2 trials did not improve loss" in enough(plan, found, 3)
    assert enough(plan, found, 1) == enough(plan_of(), found, 99) == ""
    assert enough(plan_of(max_epochs=27), found, 0) == "27 epochs were trained, of 27 at most"
    assert enough(plan_of(max_epochs=28), found, 0) == ""


def test_the_time_left_is_that_to_the_first_limit() -> None:
    def left(plan: Plan, session: int = 3, at_once: int = 1, until_end: float | None = None) -> float | None:
        return seconds_left(plan, found, session=session, at_once=at_once, until_end=until_end)

    found = [replace(trial, seconds=10.0) for trial in trials(0.5, 0.6, 0.7)]
    endless = replace(plan_of(), trials=None)
    assert left(endless) is None
    assert left(endless, until_end=7.0) == 7.0
    assert left(endless, until_end=-1.0) == 0.0
    assert left(replace(endless, trials=9)) == 60.0
    assert left(replace(endless, trials=9), at_once=2) == 30.0
    assert left(replace(endless, trials=9, patience=4)) == 20.0
    assert left(replace(endless, trials=9, patience=4), session=1) == 30.0
    assert left(replace(endless, trials=9, max_epochs=36)) == 10.0
    assert left(replace(endless, trials=9), until_end=59.0) == 59.0
    found = []
    assert left(replace(endless, trials=9)) is None


def test_failures_are_the_same_when_only_their_numbers_differ() -> None:
    def failed(*reasons: str) -> list[TrialRecord]:
        return [TrialRecord(number, "failed", {}, reason=reason) for number, reason in enumerate(reasons)]

    assert same_failure(failed("needs 1.5 GB", "needs 2 GB")) == "needs 2 GB"
    assert same_failure(failed("needs 1 GB", "no such device")) == ""
    assert same_failure([*failed("needs 1 GB"), *trials(0.5)]) == same_failure([]) == ""
