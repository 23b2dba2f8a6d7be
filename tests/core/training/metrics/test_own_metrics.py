"""Metrics of the user's own: direction from the source, values, and what is refused."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from core.config.training import Training
from core.errors import ConfigError, UntrustedCode, UserCodeError
from core.evaluation import Predictions
from core.tasks.evaluation import evaluate
from core.training.metrics.own_metrics import (
    OwnMetric,
    check_metric_arguments,
    load_own_metrics,
    own_directions,
    try_metric,
    with_own_metrics,
)
from core.user_code.trust import trust
from tests.support.own_metrics import write_own_metrics

TWO = Predictions(
    scores=np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3]], dtype=np.float32),
    targets=np.array([0, 1, 0, 1]),
    indices=np.arange(4),
    probabilities=True,
)


def loaded(*metrics: str, **arguments: dict[str, Any]) -> tuple[OwnMetric, ...]:
    return load_own_metrics(Training(metrics=metrics, metric_arguments=arguments))


@pytest.fixture
def mine(tmp_path: Path) -> str:
    return write_own_metrics(tmp_path)


def test_the_direction_is_read_without_running_the_file(tmp_path: Path) -> None:
    file = tmp_path / "evil.py"
    file.write_text("open('was_run', 'w')\ndef f(s, t): return 1\nf.higher_is_better = False\n")
    assert own_directions([f"{file}:f", "f1"]) == {"f": False}
    assert not (tmp_path / "was_run").exists()
    assert not Path("was_run").exists()


def test_the_direction_is_that_of_function_class_or_base(mine: str) -> None:
    references = [mine + name for name in ("f2", "Cost", "Dearer")]
    assert own_directions(references) == {"f2": True, "Cost": False, "Dearer": False}


WEIGHTED = """
import numpy as np

def hits(scores, targets, weights, power=1):
    return float(np.average((scores.argmax(axis=1) == targets) ** power, weights=weights))

hits.higher_is_better = True


class Hits:
    higher_is_better = True

    def __init__(self, weights=3.0):
        self.factor = weights

    def __call__(self, scores, targets, weights=None):
        return self.factor * hits(scores, targets, weights)
"""


def test_weights_of_the_samples_are_given_where_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "weighted.py"
    file.write_text(WEIGHTED)
    trust(file)
    references = [f"{file}:{name}" for name in ("hits", "Hits")]
    by = np.array([1.0, 2.0, 3.0, 4.0])
    weighted = replace(TWO, weights=by)
    found = accuracy_score(TWO.targets, TWO.scores.argmax(axis=1), sample_weight=by)
    settings: dict[str, dict[str, Any]] = {"hits": {"power": 2}, "Hits": {"weights": 2.0}}
    check_metric_arguments(Training(metrics=references, metric_arguments=settings))
    each = loaded(*references, **settings)
    assert [metric.value(weighted) for metric in each] == pytest.approx([found, 2 * found], abs=1e-12)
    assert [metric.value(TWO) for metric in each] == [0.5, 1.0]
    for metric in each:
        try_metric(metric, TWO.targets, 2, True, weighted=True)


def test_without_a_direction_it_is_refused_with_what_to_write(mine: str) -> None:
    with pytest.raises(UserCodeError, match=r"mine\.py does not define whether a higher undirected") as wrong:
        own_directions([mine + "undirected"])
    assert "undirected.higher_is_better = True" in str(wrong.value)


def test_a_name_that_is_not_there_is_refused_with_those_that_are(mine: str) -> None:
    with pytest.raises(UserCodeError, match=r"has no 'f3'\. In it: np, f2, Cost"):
        own_directions([mine + "f3"])


def test_a_file_that_is_not_python_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = 1\ndef f(:\n")
    with pytest.raises(UserCodeError, match=r"training\.metrics: bad\.py, line 2 is not Python"):
        own_directions([f"{tmp_path}/bad.py:f"])


def test_a_function_and_a_class_give_their_values(mine: str) -> None:
    f2, cost = loaded(mine + "f2", "f1", mine + "Cost")
    assert f2.value(TWO) == pytest.approx(5 / (5 + 4 + 1))
    assert cost.value(TWO) == pytest.approx((3.0 + 1) / 4)


def test_a_division_by_zero_is_an_undefined_value(mine: str) -> None:
    (never,) = loaded(mine + "never")
    assert math.isnan(never.value(TWO))


def test_a_metric_that_changes_its_arguments_changes_no_other(mine: str) -> None:
    spoils, f2 = loaded(mine + "spoils", mine + "f2")
    before = f2.value(TWO)
    spoils.value(TWO)
    assert f2.value(TWO) == before


def test_what_is_not_a_number_is_refused(mine: str) -> None:
    (many,) = loaded(mine + "many")
    with pytest.raises(UserCodeError, match=r"many returned an object of type ndarray of shape \(4, 2\)"):
        many.value(TWO)


REVERSED = """
import numpy as np
from sklearn.metrics import r2_score

def fit(y_true, y_pred):
    return r2_score(y_true, y_pred)

def hits(target, output):
    return (target == output.argmax(axis=1)).mean()

def distance(y_true, y_pred):
    return np.abs(y_true - y_pred).mean()

def misnamed(target, output):
    return (output == target.argmax(axis=1)).mean()

fit.higher_is_better = True
hits.higher_is_better = True
distance.higher_is_better = False
misnamed.higher_is_better = True
"""


@pytest.mark.parametrize(
    ("name", "classes", "names"),
    [
        ("fit", 0, "y_true, y_pred"),
        ("hits", 2, "target, output"),
        ("distance", 0, ""),
        ("misnamed", 2, ""),
    ],
)
def test_a_metric_that_is_written_for_targets_first_is_refused(
    name: str, classes: int, names: str, tmp_path: Path
) -> None:
    file = tmp_path / "reversed.py"
    file.write_text(REVERSED)
    trust(file)
    (metric,) = loaded(f"{file}:{name}")
    targets = TWO.targets if classes else np.array([1.0, 2.0, 4.0, 8.0])
    if not names:
        try_metric(metric, targets, classes, probabilities=bool(classes))
        return
    with pytest.raises(UserCodeError, match=rf"{name} takes \({names}\), and is called with scores first"):
        try_metric(metric, targets, classes, probabilities=bool(classes))


def test_a_trial_finds_an_error_with_its_line(mine: str) -> None:
    (broken,) = loaded(mine + "broken")
    with pytest.raises(UserCodeError, match=r"mine\.py, line \d+: AttributeError"):
        try_metric(broken, TWO.targets, 2, probabilities=True)


def test_a_stranger_s_file_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text("def f(s, t): return 1\nf.higher_is_better = True\n")
    with pytest.raises(UntrustedCode):
        loaded(f"{tmp_path}/theirs.py:f")


def test_a_report_holds_them_beside_the_others(mine: str) -> None:
    report = evaluate(TWO, task="binary", class_names=["a", "b"], split="test", intervals=False)
    own = loaded(mine + "f2", mine + "never")
    found = with_own_metrics(report, TWO, own)
    assert found.metrics["f2"] == pytest.approx(0.5)
    assert found.metrics["never"] is None
    assert "finite" in found.undefined["never"]
    assert found.metrics.keys() - {"f2", "never"} == report.metrics.keys()


def test_a_class_and_a_function_take_their_arguments(mine: str) -> None:
    cost, fbeta = loaded(mine + "Cost", mine + "fbeta", Cost={"price": 7}, fbeta={"beta": 2})
    assert cost.value(TWO) == pytest.approx((7.0 + 1) / 4)
    (f2,) = loaded(mine + "f2")
    assert fbeta.value(TWO) == pytest.approx(f2.value(TWO))


@pytest.mark.parametrize(
    ("metric", "arguments", "message"),
    [
        ("Cost", {"Cost": {"prize": 1}}, r"metric_arguments\.Cost\.prize: unknown key"),
        ("Cost", {"Cost": {"price": "dear"}}, r"metric_arguments\.Cost\.price: got 'dear', takes a number"),
        ("Dearer", {"Dearer": {"prize": 1}}, r"metric_arguments\.Dearer\.prize: unknown key"),
        ("fbeta", {"fbeta": {"beta": 1.0, "scores": 1}}, r"metric_arguments\.fbeta\.scores: unknown key"),
        ("fbeta", {}, r"metric_arguments\.fbeta\.beta: fbeta needs it, and it has no default"),
        ("Cost", {"Cots": {"price": 1}}, r"'Cots' is no metric of your own in training\.metrics\. .*: Cost"),
    ],
)
def test_wrong_arguments_are_refused_without_running_the_file(
    mine: str, metric: str, arguments: dict[str, dict[str, Any]], message: str
) -> None:
    file = Path(mine.rstrip(":"))
    file.write_text(file.read_text() + "\nopen(__file__ + '.run', 'w').close()\n")
    with pytest.raises(ConfigError, match=message) as wrong:
        check_metric_arguments(Training(metrics=(mine + metric,), metric_arguments=arguments))
    assert wrong.value.field == "training.metric_arguments"
    assert not Path(f"{file}.run").exists()


def test_arguments_are_for_metrics_of_the_user_s_own() -> None:
    with pytest.raises(ConfigError, match=r"'f1' is no metric of your own"):
        check_metric_arguments(Training(metrics=("f1",), metric_arguments={"f1": {"average": "macro"}}))
