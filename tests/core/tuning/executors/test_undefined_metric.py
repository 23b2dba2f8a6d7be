"""A trial whose answers do not define the metric of the search ranks last; the search goes on."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.tuning.executors.trial import _completed


@pytest.mark.parametrize(
    ("metric", "evaluation", "state", "value"),
    [
        ("mcc", {"mcc": None}, "completed", 0.0),
        ("precision_macro", {"precision_macro": float("nan")}, "completed", 0.0),
        ("mcc", {"mcc": -0.5}, "completed", -0.5),
        ("log_loss", {"log_loss": None}, "failed", None),
        ("r2", {"r2": None}, "failed", None),
        ("mcc", {}, "failed", None),
    ],
)
def test_an_undefined_metric_is_the_worst(
    metric: str, evaluation: dict[str, float | None], state: str, value: float | None
) -> None:
    summary = SimpleNamespace(evaluation={"validation": evaluation}, metrics={}, epoch=3)
    task = SimpleNamespace(metric=metric, weighed=())
    outcome = _completed(cast(Any, summary), cast(Any, task), None)
    assert outcome.state == state
    assert (outcome.value if state == "completed" else None) == value
