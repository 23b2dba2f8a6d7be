"""Two objectives: no trial of the front is beaten in both, and the best ones keep to the limits."""

import json
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import ConfigError
from core.runs.creating import create_run
from core.runs.folder import Run
from core.session import session
from core.session.lifecycle import start_or_resume
from core.tuning.executors.costs import costs
from core.tuning.executors.protocol import Ended, Outcome, TrialTask
from core.tuning.search.objectives import COSTS, front, parse_limit
from core.tuning.search.plan import for_task, make_plan, plan_from_dict
from core.tuning.study.records import StudyFinished, best_first, pareto_front
from core.tuning.study.study import create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.instant import Instant
from tui.headless.documents.envelope import as_dict
from tui.headless.documents.lines import study_line

LR, HIDDEN = "optimizer.lr", "model.hidden"


class Priced(Instant):
    """More hidden units cost more, and are better; the rate of learning matters a little."""

    def start(self, task: TrialTask) -> None:
        hidden, lr = task.config["model"]["hidden"][0], task.config["optimizer"]["lr"]
        assert task.weighed == ("parameters",)
        found = {"parameters": 100.0 * hidden}
        value = 1 - 1 / hidden - lr / 100
        self._ended.append(Ended(task.trial, Outcome("completed", value=value, epochs=1, costs=found)))


@pytest.mark.slow
def test_the_front_is_found_and_survives_its_process(tmp_path: Path) -> None:
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": 1}})
    ranges = {LR: [0.1, 0.2], HIDDEN: [[8], [16], [64]]}
    plan = make_plan(
        base, ranges, metric="accuracy", second="parameters", where=("parameters<6400",), trials=20
    )
    assert plan_from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    study = create_study(tmp_path, plan)
    finished = tune(study, Priced(), emit=lambda event: None, control=RunControl())

    opened = open_study(tmp_path, "latest")
    records = opened.records()
    shown = [(record.params[HIDDEN], record.params[LR]) for record in pareto_front(opened.plan, records)]
    assert shown[0] == ([16], 0.1), "64 hidden units cost too much"
    assert {tuple(hidden) for hidden, _ in shown} == {(16,), (8,)}
    ranked = best_first(opened.plan, records)
    assert finished.best == ranked[0]
    assert all(record.costs["parameters"] < 6400 for record in ranked)
    line = as_dict(study_line(finished, study.name))
    assert [one["parameters"] for one in line["front"]] == [1600.0, 800.0]
    assert isinstance(finished, StudyFinished)


def test_a_front_of_pairs() -> None:
    assert front([(1.0, 5.0), (2.0, 3.0), (2.0, 3.0), (3.0, 4.0), (0.5, 5.0)]) == [4, 1]
    assert front([]) == []


def test_limits() -> None:
    limit = parse_limit(" parameters <= 1e5 ")
    assert str(limit) == "parameters<=100000"
    assert limit.holds(1e5)
    assert not limit.holds(None)
    assert limit.violation(1e5 + 1) > 0 >= limit.violation(1e5)
    with pytest.raises(ConfigError, match="where: got 'parameters'"):
        parse_limit("parameters")


def test_what_cannot_be_weighed_is_refused() -> None:
    ranges = {LR: [0.1, 0.2]}
    with pytest.raises(ConfigError, match="before its end"):
        make_plan(TrainConfig(), ranges, metric="accuracy", second="size", pruner="median")
    with pytest.raises(ConfigError, match="given twice"):
        make_plan(TrainConfig(), ranges, metric="accuracy", second="accuracy")
    with pytest.raises(ConfigError, match="got 'weight'"):
        make_plan(TrainConfig(), ranges, metric="accuracy", where=("weight<3",))
    plan = make_plan(TrainConfig(), ranges, metric="accuracy", second="f1_macro")
    assert plan.second_direction == "maximize"
    assert "f1_macro" in for_task(plan, "multiclass", 10).space.base.training.metrics


def test_costs_are_those_of_the_network(tmp_path: Path) -> None:
    config = configuration.from_dict(
        {"data": "iris", "model": {"name": "mlp", "hidden": [8]}, "training": {"epochs": 2}}
    )
    run = create_run(tmp_path, config)
    started = start_or_resume(
        config,
        Run(run.path),
        tmp_path,
        prepare=lambda progress: session.prepare(config, None, progress),
        on_progress=lambda *step: None,
        control=RunControl(),
    )
    assert started is not None
    started.train(emit=lambda event: None, control=RunControl(), baselines=False)
    found = costs(started.prepared, run, COSTS)
    assert found["parameters"] == 4 * 8 + 8 + 8 * 3 + 3
    assert found["size"] > 4 * found["parameters"]
    assert 0 < found["latency"] < 1
    assert 0 < found["seconds"] < 60
    assert costs(started.prepared, run, ["accuracy"]) == {}
