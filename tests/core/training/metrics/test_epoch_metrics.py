"""Metrics of each epoch: reported, monitored, followed by schedule and patience, evaluated at the end."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.control import RunControl
from core.errors import ConfigError, UserCodeError
from core.events import EpochFinished, EvaluationFinished, Notice, RunStarted
from core.runs.comparison.curves import leads
from core.runs.comparison.entries import EntryReader
from core.runs.comparison.groups import grouped
from core.runs.comparison.standings import standings
from core.runs.query.language import parse
from core.training.metrics.epoch_metrics import EpochMetrics
from tests.support.own_metrics import write_own_metrics
from tui.widgets.runs_columns import monitored

Train = Callable[..., Any]
CANCER: dict[str, Any] = {
    "data": "breast_cancer",
    "model": "linear",
    "optimizer": {"name": "sgd", "lr": 0.05},
}


@pytest.fixture
def mine(tmp_path: Path) -> str:
    return write_own_metrics(tmp_path)


def with_metrics(*metrics: str, **training: Any) -> dict[str, Any]:
    return {**CANCER, "training": {"epochs": 4, "metrics": list(metrics), **training}}


def test_what_is_wanted_is_reported_in_its_order_after_loss_and_accuracy(train_run: Train, mine: str) -> None:
    trained = train_run(with_metrics("roc_auc", mine + "f2", "accuracy", monitor="mcc"))
    for epoch in trained.told(EpochFinished):
        assert list(epoch.validation) == ["loss", "accuracy", "roc_auc", "f2", "mcc"]
        assert list(epoch.train) == ["loss", "accuracy"]
    assert trained.told(RunStarted)[0].higher_is_better == {"f2": True}


def test_the_best_epoch_has_the_value_of_the_evaluation(train_run: Train, mine: str) -> None:
    trained = train_run(with_metrics("roc_auc", "f1", "log_loss", mine + "Cost", monitor="Cost"))
    last, measured = trained.told(EpochFinished)[-1], trained.told(EvaluationFinished)[0].metrics
    for name in ("roc_auc", "f1", "log_loss", "Cost"):
        assert last.best_metrics[name] == pytest.approx(measured[name], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "way"), [("f2", max), ("Cost", min), ("average_precision", max), ("ece", min)]
)
def test_a_monitored_metric_chooses_the_epoch_in_its_direction(
    train_run: Train, mine: str, name: str, way: Callable[[list[float]], float]
) -> None:
    trained = train_run(with_metrics(mine + "f2", mine + "Cost", monitor=name, epochs=6))
    values = [epoch.validation[name] for epoch in trained.told(EpochFinished)]
    assert trained.told(EpochFinished)[-1].best_epoch == values.index(way(values)) + 1


def test_patience_and_the_plateau_schedule_follow_it(train_run: Train, mine: str) -> None:
    values = with_metrics(mine + "Cost", monitor="Cost", patience=3, min_delta=10.0, epochs=50)
    trained = train_run({**values, "schedule": {"name": "plateau", "patience": 0, "min_delta": 10.0}})
    assert len(trained.told(EpochFinished)) == 4
    assert [epoch.lr for epoch in trained.told(EpochFinished)][:3] == pytest.approx([0.05, 0.05, 0.005])
    assert any("validation Cost has not become better" in note.message for note in trained.told(Notice))


@pytest.mark.slow
def test_an_undefined_value_is_never_the_best(train_run: Train, mine: str) -> None:
    trained = train_run(with_metrics(mine + "never", epochs=2))
    assert all(math.isnan(epoch.validation["never"]) for epoch in trained.told(EpochFinished))
    assert trained.finished.status == "completed"
    trained = train_run(with_metrics(mine + "never", monitor="never", epochs=2))
    assert trained.told(EpochFinished)[-1].best_epoch == 0
    assert trained.finished.error.startswith("no epoch had a finite validation never")


def test_numbers_are_measured_in_the_unit_of_the_target(train_run: Train, mine: str) -> None:
    trained = train_run(
        {"data": "diabetes", "model": "mlp", "training": {"metrics": ["mae", mine + "worst"], "epochs": 2}}
    )
    last, measured = trained.told(EpochFinished)[-1], trained.told(EvaluationFinished)[0].metrics
    assert last.best_metrics["mae"] == pytest.approx(measured["mae"])
    assert measured["mae"] > 10
    assert last.best_metrics["worst"] == pytest.approx(measured["worst"])
    assert measured["worst"] > 50


def test_weights_do_not_depend_on_what_is_measured(train_run: Train, mine: str) -> None:
    plain, measured = train_run(CANCER), train_run({**CANCER, "training": {"metrics": ["f1", mine + "f2"]}})
    for name, weight in plain.weights("best").items():
        assert torch.equal(weight, measured.weights("best")[name])


@pytest.mark.slow
def test_a_stopped_run_resumes_with_the_copy_of_the_metric(
    train_run: Train, mine: str, tmp_path: Path
) -> None:
    arguments = {"fbeta": {"beta": 3.0}}
    wanted = with_metrics(mine + "f2", mine + "fbeta", monitor="fbeta", metric_arguments=arguments, epochs=4)
    whole = train_run(wanted)
    last, measured = whole.told(EpochFinished)[-1].best_metrics, whole.told(EvaluationFinished)[0].metrics
    assert last["fbeta"] == pytest.approx(measured["fbeta"])
    histories = [[epoch.validation[name] for epoch in whole.told(EpochFinished)] for name in ("fbeta", "f2")]
    assert histories[0] != histories[1]

    def stop(control: RunControl, model: Any) -> None:
        control.stop()

    stopped = train_run(wanted, at_step=(13, stop))
    assert stopped.finished.status == "stopped"
    (tmp_path / "mine.py").write_text("def f2(scores, targets): return 0.0\nf2.higher_is_better = False\n")
    assert stopped.run.config().training.metric_arguments == arguments
    resumed = train_run(run=stopped.run)
    assert resumed.told(EpochFinished)[-1].best_metrics == whole.told(EpochFinished)[-1].best_metrics
    assert resumed.told(RunStarted)[0].higher_is_better == {"f2": True, "fbeta": True}
    for name, weight in whole.weights("best").items():
        assert torch.equal(weight, resumed.weights("best")[name])


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {"data": "iris", "model": "mlp", "training": {"metrics": ["f1"]}},
            ConfigError,
            "'f1' is not measured in a multiclass task",
        ),
        ({"training": {"monitor": "mae"}}, ConfigError, "'mae' is not measured in a binary task"),
        (
            {"training": {"monitor": "acuracy"}},
            ConfigError,
            "no such metric 'acuracy'.*Did you mean accuracy",
        ),
        ({"training": {"monitor": "f2"}}, ConfigError, "no such metric 'f2'"),
        (
            {"data": {"name": "wine", "validation": 0}, "model": "mlp", "training": {"metrics": ["mcc"]}},
            ConfigError,
            "held out",
        ),
        ({"training": {"metrics": ["many"]}}, UserCodeError, "returned an object of type ndarray"),
        ({"training": {"metrics": ["broken"]}}, UserCodeError, "AttributeError"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_there_is_a_folder(
    train_run: Train, mine: str, tmp_path: Path, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {**CANCER, **values}
    own = [
        mine + name if name in ("many", "broken") else name for name in given["training"].get("metrics", [])
    ]
    with pytest.raises(error, match=message):
        train_run({**given, "training": {**given["training"], "metrics": own}})
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"metrics": "f1_mcro"}, "no such metric 'f1_mcro'. Did you mean f1_micro?"),
        ({"metrics": "a.py:f1"}, "has the name of a built-in metric"),
        ({"metrics": "a.py:g,b.py:g"}, "'g' is there twice"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(training: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        configuration.from_dict({"training": training})
    assert message in str(wrong.value)


def test_a_text_is_a_list(mine: str) -> None:
    config = configuration.from_dict({"training": {"metrics": f"f1, {mine}f2", "monitor": "f2"}})
    assert config.training.metrics == ("f1", f"{mine}f2")


def test_the_cost_is_reported_once_when_it_is_more_than_a_twentieth(
    load_data: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_data("breast_cancer")
    metrics = EpochMetrics(configuration.from_dict(with_metrics("f1")), data, ())
    clock = iter([0.0, 0.06, 1.0, 1.2])
    monkeypatch.setattr("core.training.metrics.epoch_metrics.time.perf_counter", lambda: next(clock))
    outputs = torch.zeros(len(data.validation), 2)
    metrics.measure(outputs)
    assert metrics.report_cost(1.0) == "", "too short to be worth a line"
    metrics.measure(outputs)
    assert metrics.report_cost(1.0) == "the metrics of validation take 0.13 seconds an epoch: 13% of its time"
    assert metrics.report_cost(0.1) == ""


@pytest.mark.slow
def test_runs_are_compared_queried_and_listed_by_it(train_run: Train, mine: str) -> None:
    runs = [
        train_run({**with_metrics(mine + "Cost", monitor="Cost"), "optimizer": {"name": "sgd", "lr": lr}}).run
        for lr in (1e-4, 0.05)
    ]
    entries = [EntryReader(run).read() for run in runs]
    costs = [entry.summary.metrics["Cost"] for entry in entries]
    assert leads(grouped(entries), "validation Cost")[0].place == costs.index(min(costs)), "less is better"
    (standing,) = [row for row in standings(grouped(entries), "validation") if row.metric == "Cost"]
    assert standing.leader == costs.index(min(costs))
    found = [parse(f"validation.cost<{max(costs)}").matches(entry.summary) for entry in entries]
    assert found == [cost < max(costs) for cost in costs]
    assert [monitored(entry.summary) for entry in entries] == [("Cost", cost) for cost in costs]


def test_nothing_is_measured_unasked(load_data: Callable[..., Any]) -> None:
    assert EpochMetrics(configuration.from_dict(CANCER), load_data("breast_cancer"), ()).names == []
