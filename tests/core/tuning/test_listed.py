"""A study in a list of runs shows what its best trial reached."""

from pathlib import Path
from typing import Any

from core.runs.folder import Run
from core.runs.summary import RunSummary
from core.tuning.listed import best_trial


def trial(name: str, monitor: str = "loss", **metrics: Any) -> RunSummary:
    return RunSummary(
        Run(Path(name)), "completed", config={"loss": {"name": "mse"}}, monitor=monitor, metrics=metrics
    )


def best(*trials: RunSummary) -> str:
    found = best_trial(trials)
    return found.run.id if found else ""


def test_the_best_trial_is_that_with_the_best_monitored_value() -> None:
    assert best(trial("a", loss=0.3), trial("b", loss=0.2), trial("c", loss=float("nan"))) == "b"
    assert (
        best(trial("a", monitor="f1_macro", f1_macro=0.3), trial("b", monitor="f1_macro", f1_macro=0.2))
        == "a"
    )
    assert best(trial("a"), RunSummary(Run(Path("b")), "running")) == ""


def test_trials_with_different_losses_are_ranked_by_their_score() -> None:
    one = RunSummary(
        Run(Path("a")), "completed", config={"loss": {"name": "mse"}}, metrics={"loss": 0.1, "accuracy": 0.7}
    )
    other = RunSummary(
        Run(Path("b")),
        "completed",
        config={"loss": {"name": "hinge"}},
        metrics={"loss": 0.9, "accuracy": 0.8},
    )
    assert best(one, other) == "b"
