"""Every schedule against PyTorch's own, step by step."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from core.config.checks import check_compatible
from core.config.schema import from_dict
from core.errors import ConfigError
from core.events import EpochFinished
from core.schedules.plateau import Plateau
from core.schedules.progress import Constant, Cosine, OneCycle, Polynomial, Step

EPOCHS, PER_EPOCH = 6, 7
STEPS = EPOCHS * PER_EPOCH
LR = 0.5

SCHEDULES: dict[str, tuple[Any, Callable[..., Any]]] = {
    "constant": (Constant(), lambda optimizer, steps: theirs.ConstantLR(optimizer, factor=1.0)),
    "step": (
        Step(every=2, gamma=0.3),
        lambda optimizer, steps: theirs.StepLR(optimizer, step_size=2 * PER_EPOCH, gamma=0.3),
    ),
    "cosine": (
        Cosine(last=0.1),
        lambda optimizer, steps: theirs.CosineAnnealingLR(optimizer, steps, eta_min=0.1 * LR),
    ),
    "one_cycle": (
        OneCycle(),
        lambda optimizer, steps: theirs.OneCycleLR(optimizer, LR, steps, cycle_momentum=False),
    ),
    "one_cycle with other ends": (
        OneCycle(peak_at=0.5, first=0.2, last=0.02),
        lambda optimizer, steps: theirs.OneCycleLR(
            optimizer, LR, steps, pct_start=0.5, div_factor=5, final_div_factor=10, cycle_momentum=False
        ),
    ),
    "polynomial": (
        Polynomial(power=2),
        lambda optimizer, steps: theirs.PolynomialLR(optimizer, steps, power=2),
    ),
}


def optimizer() -> torch.optim.SGD:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)


def rates(scheduler: Any, steps: int) -> list[float]:
    """The learning rate of each step."""
    told = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps without the optimizer's
        for _ in range(steps):
            told.append(scheduler.optimizer.param_groups[0]["lr"])
            if len(told) < steps:
                scheduler.step()
    return told


def ours(schedule: Any, steps: int = STEPS) -> list[float]:
    return [LR * schedule.factor(step, steps, PER_EPOCH) for step in range(steps)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_is_pytorchs(name: str) -> None:
    schedule, make = SCHEDULES[name]
    assert ours(schedule) == pytest.approx(rates(make(optimizer(), STEPS), STEPS))


@pytest.mark.parametrize("name", ["constant", "step", "cosine", "polynomial"])
def test_a_warm_up_in_front_is_pytorchs(name: str) -> None:
    schedule, make = SCHEDULES[name]
    warm = 2 * PER_EPOCH
    sgd = optimizer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [
            theirs.LinearLR(sgd, start_factor=1 / warm, total_iters=warm - 1),
            make(sgd, STEPS - warm),
        ]
        both = theirs.SequentialLR(sgd, parts, milestones=[warm])
    assert ours(schedule.model_copy(update={"warmup": 2.0})) == pytest.approx(rates(both, STEPS))


def test_a_warm_up_may_be_part_of_an_epoch() -> None:
    schedule = Constant(warmup=0.5)
    assert [schedule.factor(step, 40, 8) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_few_steps_stays_in_its_bounds(steps: int) -> None:
    assert all(0 <= OneCycle().factor(step, steps, 1) <= 1 for step in range(steps))


@pytest.mark.parametrize("last", [0.0, 0.05])
def test_plateau_is_pytorchs(last: float) -> None:
    values = [3, 2, 2, 2.01, 1.5, 1.5, 1.499, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.0, float("nan"), 1.1, 1.2, 1.3]
    sgd = optimizer()
    scheduler = theirs.ReduceLROnPlateau(
        sgd, factor=0.3, patience=1, threshold=0.01, threshold_mode="abs", min_lr=last * LR
    )
    schedule = Plateau(gamma=0.3, patience=1, min_delta=0.01, last=last)
    seen: Mapping[str, float] = {}
    for value in values:
        scheduler.step(value)
        seen = schedule.after_epoch(seen, value)
        assert LR * schedule.factor(0, 1, 1, seen) == pytest.approx(sgd.param_groups[0]["lr"])
    assert schedule.factor(0, 1, 1, seen) < 0.1


def stop(control: Any, model: Any) -> None:
    control.stop()


@pytest.mark.slow
def test_plateau_is_resumed_exactly(train_run: Callable[..., Any]) -> None:
    """Stopped when it has fallen once and is about to fall again."""
    values = {
        "data": "iris",
        "model": "mlp",
        "schedule": {"name": "plateau", "patience": 1, "min_delta": 0.5, "gamma": 0.5, "warmup": 1},
        "training": {"epochs": 8, "batch_size": 64},
    }
    undisturbed = train_run(values)
    told = undisturbed.told(EpochFinished)
    assert len({epoch.lr for epoch in told[1:]}) > 2
    for step in (5, 10):
        first = train_run(values, at_step=(step, stop))
        second = train_run(run=first.run)
        again = {epoch.epoch: epoch.lr for run in (first, second) for epoch in run.told(EpochFinished)}
        assert again == {epoch.epoch: epoch.lr for epoch in told}
        for key, weight in undisturbed.weights().items():
            assert torch.equal(weight, second.weights()[key])


def test_plateau_follows_what_chooses_the_best_epoch(train_run: Callable[..., Any]) -> None:
    """Accuracy that stays is a plateau, however the loss falls."""
    values = {
        "data": "iris",
        "model": "mlp",
        "optimizer": {"name": "sgd", "lr": 1e-6},
        "schedule": {"name": "plateau", "patience": 0, "min_delta": 0},
        "training": {"epochs": 3, "monitor": "accuracy"},
    }
    rates = [epoch.lr for epoch in train_run(values).told(EpochFinished)]
    assert rates == pytest.approx([1e-6, 1e-6, 1e-7])


def test_a_warm_up_as_long_as_the_run_is_refused(train_run: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"schedule\.warmup: 3 warm-up epochs leave nothing of the run's 3"):
        train_run({"data": "iris", "model": "mlp", "schedule": {"warmup": 3}, "training": {"epochs": 3}})


def test_a_warm_up_before_one_cycle_is_refused_as_it_has_its_own() -> None:
    config = from_dict(
        {
            "data": "iris",
            "model": "mlp",
            "schedule": {"name": "one_cycle", "warmup": 1},
            "training": {"epochs": 9},
        }
    )
    with pytest.raises(ConfigError, match="the learning rate would rise twice"):
        check_compatible(config)


@pytest.mark.parametrize("name", ["lbfgs", "muon", "adamw"])
def test_warm_up_reaches_every_group(name: str, train_run: Callable[..., Any]) -> None:
    values = {
        "data": "iris",
        "model": "mlp",
        "optimizer": name,
        "schedule": {"warmup": 2},
        "training": {"batch_size": 64},
    }
    trained = train_run(values)
    lr = from_dict({"optimizer": name}).optimizer.lr
    assert [epoch.lr for epoch in trained.told(EpochFinished)] == pytest.approx([lr / 2, lr, lr])
    groups = trained.checkpoint()["optimizer"]["param_groups"]
    assert {group["lr"] for group in groups} == {lr}
