"""Importance of parameters: from all trials, with its uncertainty, and nothing where there is nothing to show."""

from dataclasses import replace

import numpy as np
import pytest

from core.config.schema import TrainConfig
from core.tuning.search.plan import Plan, make_plan
from core.tuning.study.importance import importances
from core.tuning.study.records import TrialRecord

LR, NAME, BATCH = "optimizer.lr", "optimizer.name", "training.batch_size"


@pytest.fixture(scope="module")
def plan() -> Plan:
    ranges = {
        NAME: ["sgd", "adam"],
        LR: {"low": 1e-4, "high": 1.0, "log": True},
        BATCH: {"low": 16, "high": 256},
    }
    return make_plan(TrainConfig(), ranges, metric="accuracy")


def trials(count: int, *, only_chance: bool = False) -> list[TrialRecord]:
    """Trials whose accuracy depends on the learning rate, or on nothing; a bad rate is pruned."""
    random = np.random.default_rng(3)
    found = []
    for number in range(count):
        power = random.uniform(-4, 0)
        name, batch = ["sgd", "adam"][random.integers(2)], int(random.integers(16, 257))
        params = {NAME: name, LR: 10**power, BATCH: batch}
        value = 0.9 - 0.2 * abs(power + 1.5) + 0.02 * random.normal()
        value = random.random() if only_chance else value
        kept = TrialRecord(number, "completed", params, value=value, curve=(value - 0.1, value))
        found.append(kept if value > 0.6 or only_chance else replace(kept, state="pruned", curve=(value,)))
    return found


def test_what_matters_is_found_with_an_interval_that_shrinks(plan: Plan) -> None:
    few, many = (importances(plan, trials(count)).all for count in (20, 120))
    for found in (few, many):
        assert next(iter(found.shares)) == LR
        assert sum(share.value for share in found.shares.values()) == pytest.approx(1)
        assert found.shares[LR].value > 0.6
    assert many.shares[LR].high - many.shares[LR].low < few.shares[LR].high - few.shares[LR].low
    assert many.trials == 120
    assert importances(plan, trials(120)).good.trials == 60


def test_pruned_and_diverged_trials_count(plan: Plan) -> None:
    records = trials(60)
    completed = [record for record in records if record.state == "completed"]
    assert len(completed) < 50
    assert importances(plan, records).all.trials == 60
    equal = [replace(record, value=0.9, curve=(), state="completed") for record in records]
    burst = [replace(one, state="diverged", value=None) if one.params[LR] > 0.1 else one for one in equal]
    assert importances(plan, burst).all.shares[LR].value > 0.9, "a high rate diverges: that is all one knows"


def test_nothing_is_shown_where_there_is_nothing_to_show(plan: Plan) -> None:
    assert importances(plan, trials(4)).all.reason == "shown from 10 trials on"
    equal = [replace(record, value=0.9, curve=(), state="completed") for record in trials(40)]
    assert importances(plan, equal).all.reason == "all trials are equal"
    chance = importances(plan, trials(60, only_chance=True)).all
    assert (chance.shares, chance.reason) == ({}, "no parameter matters more than chance")
