"""Every two of loss, optimizer, schedule and precision together: they learn, and resume bit for bit."""

import itertools
from collections.abc import Mapping
from typing import Any, get_args

import pytest
import torch
from torch import nn

from core.config import schema as configuration
from core.config.checks import check_compatible
from core.config.schema import FAMILIES, TrainConfig
from core.config.training import Training
from core.control import RunControl
from core.data.dataset import Dataset
from core.data.splits import assemble, divide
from core.devices import precisions
from core.errors import ConfigError
from core.events import EpochFinished, Event
from core.models.registry import build
from core.options import choices
from core.training.context import TrainingContext
from core.training.engine import train
from core.user_code.trust import trust
from tests.support.pairs import covering
from tests.support.repository import REPOSITORY

CPU = torch.device("cpu")
LOSSES, OPTIMIZERS, SCHEDULES = (list(choices(FAMILIES[name])) for name in ("loss", "optimizer", "schedule"))
LOSSES.remove("dice")  # of masks, which networks for rows do not give
PRECISIONS = get_args(Training.model_fields["precision"].annotation)
RATES = {
    **dict.fromkeys(("momentum", "nesterov", "adagrad"), 0.1),
    "sgd": 0.2,
    "radam": 0.3,
    "adadelta": 2.0,
    "lbfgs": 0.5,
}
"""Learning rates with which a small network learns an easy task in few steps; of all others 0.02."""
SEARCH: dict[str, dict[str, Any]] = {"lbfgs": {"iterations": 5}}
"""Fields of optimizers that would take long by default."""
EPOCHS, BATCH, STOPPED_AFTER = 12, 32, 5
OWN_TRAINING = REPOSITORY / "tests" / "support" / "own_training.py"
OWN = {"loss": "huber_of_classes", "optimizer": "Opt", "schedule": "falling"}
"""What the choice `python` names."""


def chosen(section: str, name: str) -> str:
    return f"{OWN_TRAINING}:{OWN[section]}" if name == "python" else name


def config_of(loss: str, optimizer: str, schedule: str, precision: str) -> TrainConfig:
    trust(OWN_TRAINING)
    rate = RATES.get(optimizer, 0.02)
    if loss == "poisson" and optimizer in (
        "sgd",
        "lbfgs",
    ):  # exponential: it blows up where others still learn
        rate = 0.1
    return configuration.from_dict(
        {
            "model": {"name": "mlp", "hidden": [16]},
            "loss": chosen("loss", loss),
            "optimizer": {"name": chosen("optimizer", optimizer), "lr": rate} | SEARCH.get(optimizer, {}),
            "schedule": {"name": chosen("schedule", schedule), "warmup": int(schedule != "one_cycle")},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "precision": precision},
        }
    )


def fits(loss: str, optimizer: str, schedule: str, precision: str) -> bool:
    """Return whether the processor calculates with the precision, and a search along the gradient can."""
    return precision != "tf32" and (optimizer, precision) != ("lbfgs", "fp16")


def accepted(names: tuple[str, ...]) -> bool:
    try:
        check_compatible(config_of(*names))
    except ConfigError:
        return False
    return names[-1] in precisions(CPU)


def separable() -> Dataset:
    """Three clusters far from each other, in four dimensions."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(180) % 3
    inputs = torch.randn(180, 4, generator=generator) + 6 * torch.eye(4)[targets]
    return in_splits(inputs, targets, ("a", "b", "c"))


def linear() -> Dataset:
    """A number that depends on four others by a plane."""
    inputs = torch.randn(180, 4, generator=torch.Generator().manual_seed(2))
    return in_splits(inputs, 20 + inputs @ torch.tensor([[1.0], [-2.0], [0.5], [0.0]]), ())


def in_splits(inputs: torch.Tensor, targets: torch.Tensor, classes: tuple[str, ...]) -> Dataset:
    task: str = "multiclass" if classes else "regression"
    kept, held_out = divide(targets.flatten().numpy(), 0.3, task=task, seed=0, field="data.validation")
    return assemble(
        name="made-up",
        kind="table",
        inputs=inputs,
        targets=targets,
        parts={"train": kept, "validation": held_out, "test": held_out},
        class_names=classes,
        feature_names=tuple("wxyz"),
    )


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    def save(self, state: dict[str, Any], kind: str) -> None:
        self.states[kind] = state


def run(
    config: TrainConfig, data: Dataset, *, stop_after: int = 0, state: Any = None
) -> tuple[nn.Module, list[Event], Kept]:
    """Train from the beginning or on from `state`, to the end or to the first step after an epoch."""
    model, control, kept = build(config.model, data, seed=0), RunControl(), Kept()
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochFinished) and event.epoch == stop_after:
            control.stop()

    result = train(
        config,
        data,
        model,
        TrainingContext(CPU),
        emit=emit,
        control=control,
        checkpoints=kept,
        resume_from=state,
    )
    assert result.status == ("stopped" if stop_after else "completed")
    return model, events, kept


def epochs_of(events: list[Event]) -> dict[int, dict[str, Any]]:
    """Return the numbers of each epoch without its times."""
    told = [event for event in events if isinstance(event, EpochFinished)]
    return {
        event.epoch: {key: value for key, value in vars(event).items() if key not in ("time", "seconds")}
        for event in told
    }


def assert_same(first: Any, second: Any) -> None:
    """Equal in every bit of a nested state."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, Mapping):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


FITTING = [names for names in itertools.product(LOSSES, OPTIMIZERS, SCHEDULES, PRECISIONS) if fits(*names)]


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "optimizer", "schedule", "precision"), covering(FITTING))
def test_it_learns_what_is_easy_and_resumes_bit_for_bit(
    loss: str, optimizer: str, schedule: str, precision: str
) -> None:
    torch.set_num_threads(1)
    config = config_of(loss, optimizer, schedule, precision)
    of_classes = "classes" in choices(FAMILIES["loss"])[loss].takes  # type: ignore[attr-defined]  # of losses
    data = separable() if of_classes else linear()
    model, events, kept = run(config, data)
    score, enough = ("accuracy", 0.85) if of_classes else ("r2", 0.5 if loss == "poisson" else 0.75)
    assert epochs_of(events)[EPOCHS]["validation"][score] > enough

    _, before, stopped = run(config, data, stop_after=STOPPED_AFTER)
    progress = stopped.states["last"]["progress"]
    assert (progress["epoch"], progress["batch"]) == (STOPPED_AFTER, 1), "in the middle of an epoch"
    again, after, last = run(config, data, state=stopped.states["last"])
    assert epochs_of(before) | epochs_of(after) == epochs_of(events)
    assert_same(again.state_dict(), model.state_dict())
    for part in ("optimizer", "rng", "best"):
        assert_same(last.states["last"][part], kept.states["last"][part])


def test_what_does_not_fit_is_only_what_the_processor_or_a_search_cannot() -> None:
    every = covering(itertools.product(LOSSES, OPTIMIZERS, SCHEDULES, PRECISIONS))
    assert [names for names in every if accepted(names)] == [names for names in every if fits(*names)]
