"""Every two of data set, model, loss and optimizer together: they train, or are refused with what fits instead."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.config.schema import FAMILIES
from core.control import RunControl
from core.data.dataset import Dataset, Split
from core.errors import ConfigError, ModelError
from core.events import EpochFinished, Event, StepLogged
from core.models.registry import build
from core.options import choices
from core.schedules.base import RunLength
from core.tasks.losses import resolve_loss
from core.tasks.registry import task_of
from core.training.context import TrainingContext
from core.training.engine import train
from core.user_code.trust import trust
from tests.support.narrow import instance
from tests.support.pairs import covering
from tests.support.repository import REPOSITORY

DATA, MODELS, LOSSES, OPTIMIZERS, SCHEDULES = (
    list(choices(FAMILIES[section])) for section in ("data", "model", "loss", "optimizer", "schedule")
)
VARIANTS = ["labels", "numbers", "signals", "tokens"]
"""Arrays of other kinds of samples and targets; see `tests.support.own_data`."""
TABLES = {"csv", "iris", "wine", "breast_cancer", "diabetes", "moons", "spirals", "labels", "numbers"}
KINDS = {**dict.fromkeys(TABLES, "table"), "signals": "signal", "tokens": "tokens", "text_folder": "text"}
"""Of samples; all others are images."""
TARGETS = {"diabetes": "numbers", "numbers": "numbers", "labels": "labels", "mask_folder": "pixels"}
"""Kinds of targets; all others are classes."""
MAPS = {"unet"}
"""Networks that answer to each pixel."""
FITTING_LOSSES = {
    "classes": {"auto", "cross_entropy", "bce", "focal", "hinge", "mse", "python"},
    "numbers": {"auto", "mse", "l1", "huber", "quantile", "poisson", "python"},
    "labels": {"auto", "bce", "focal", "python"},
    "pixels": {"auto", "cross_entropy", "focal", "dice", "python"},
}
TAKES = {name: getattr(option, "TAKES", ()) for name, option in choices(FAMILIES["model"]).items()}
OWN_NET, OWN_TRAINING = (REPOSITORY / "tests" / "support" / f"own_{name}.py" for name in ("net", "training"))
OWN = {
    "model": f"{OWN_NET}:Net",
    "loss": f"{OWN_TRAINING}:huber_of_classes",
    "optimizer": f"{OWN_TRAINING}:Opt",
    "schedule": f"{OWN_TRAINING}:falling",
}
"""What the choice `python` names."""
SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"channels": [2, 3], "hidden": [8]},
    "resnet_small": {"width": 2},
    "unet": {"width": 2, "depth": 2},
    "vit_small": {"width": 4, "depth": 1, "patch": 8},
    "zoo": {"architecture": "mobilenet_v3_small", "enlarge_to": 32},
    "timm": {"architecture": "test_resnet", "size": 32},
    "lbfgs": {"iterations": 3},
}
"""Fields of models and optimizers that would take long, or cannot be built, by default."""
FALLING: dict[str, dict[str, Any]] = {"step": {"every": 1}, "plateau": {"patience": 0, "min_delta": 10.0}}
"""With what a schedule falls within three epochs."""
EPOCHS = 2
SAMPLES, BATCH = 96, 64
"""Of each split, where there are more."""

Load = Callable[..., Dataset]


def loss_fits(loss: str, data: str) -> bool:
    return loss in FITTING_LOSSES[TARGETS.get(data, "classes")]


def model_fits(model: str, data: str) -> bool:
    answers = model == "python" or (model in MAPS) == (TARGETS.get(data) == "pixels")
    return answers and KINDS.get(data, "image") in TAKES[model]


def own_code_fits(data: str, model: str, loss: str) -> bool:
    """Return whether own network and loss of the tests, written for numbers and one target, are not asked for more."""
    return not (
        (model == "python" and (TARGETS.get(data) == "pixels" or KINDS.get(data) in ("tokens", "text")))
        or (loss == "python" and TARGETS.get(data) in ("pixels", "labels"))
    )


def few(split: Split) -> Split:
    return Split(split.inputs[:SAMPLES], split.targets[:SAMPLES], split.indices[:SAMPLES])


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    def save(self, state: dict[str, Any], kind: str) -> None:
        self.states[kind] = state


def train_briefly(data: Dataset, **names: str) -> tuple[list[Event], list[torch.Tensor], list[torch.Tensor]]:
    """The events of two epochs of few batches, and the weights before and after."""
    sections: dict[str, dict[str, Any]] = {section: {"name": name} for section, name in names.items()}
    for section in ("model", "optimizer"):
        sections[section] |= SMALL.get(names.get(section, ""), {})
    for section, path in OWN.items():
        if names.get(section) == "python":
            sections[section]["path"] = path
    config = configuration.from_dict({**sections, "training": {"epochs": EPOCHS, "batch_size": BATCH}})
    trust(OWN_NET)
    trust(OWN_TRAINING)
    model = build(config.model, data, seed=0)
    before = [weight.detach().clone() for weight in model.parameters()]
    events: list[Event] = []
    checkpoints = Kept()
    result = train(
        config,
        data,
        model,
        TrainingContext(torch.device("cpu")),
        emit=events.append,
        control=RunControl(),
        checkpoints=checkpoints,
    )
    assert result.status == "completed", result.error
    assert set(checkpoints.states) == {"last", "best"}
    return events, before, list(model.parameters())


FITTING = [
    (data, model, loss, optimizer)
    for data, model, loss in itertools.product([*DATA, *VARIANTS], MODELS, LOSSES)
    if model_fits(model, data) and loss_fits(loss, data) and own_code_fits(data, model, loss)
    for optimizer in OPTIMIZERS
]


@pytest.mark.heavy
@pytest.mark.parametrize(("data", "model", "loss", "optimizer"), covering(FITTING))
def test_what_fits_trains_a_few_steps(
    data: str, model: str, loss: str, optimizer: str, load_data: Load
) -> None:
    torch.set_num_threads(1)
    loaded = load_data(data)
    loaded = replace(loaded, train=few(loaded.train), validation=few(loaded.validation))
    events, before, after = train_briefly(loaded, optimizer=optimizer, loss=loss, model=model)
    epochs = [event for event in events if isinstance(event, EpochFinished)]
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    assert epochs[-1].step == EPOCHS * -(-len(loaded.train) // BATCH)
    assert set(epochs[0].train) == {"loss", task_of(loaded.task).score}
    assert all(math.isfinite(value) for epoch in epochs for value in epoch.train.values())
    assert all(math.isfinite(value) for epoch in epochs for value in epoch.validation.values())
    assert not all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("data", [*DATA, *VARIANTS])
def test_what_does_not_fit_is_refused(data: str, load_data: Load) -> None:
    for loss, model in itertools.product(LOSSES, MODELS):
        assert_refused(loss, model, data, load_data(data))


def assert_refused(loss: str, model: str, name: str, data: Dataset) -> None:
    """The first thing that does not fit is refused, and what the message offers does fit."""
    if not loss_fits(loss, name):
        chosen_loss: Any = choices(FAMILIES["loss"])[loss]()
        with pytest.raises(ConfigError, match="loss does not work for") as caught:
            resolve_loss(chosen_loss, data.task)
        assert caught.value.field == "loss.name"
        offered = instance(str, caught.value.hint).removeprefix("Losses that fit: ").split(", ")
        assert offered == [each for each in LOSSES if loss_fits(each, name)]
    if not model_fits(model, name):
        chosen_model: Any = choices(FAMILIES["model"])[model]()
        with pytest.raises(ModelError, match=rf"model\.name: {model} takes ") as refused:
            build(chosen_model, data, seed=0)
        offered = instance(str, refused.value.hint).removeprefix("Models that fit: ").split(", ")
        assert set(offered) == {each for each in MODELS if model_fits(each, name)}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_sets_the_learning_rate(schedule: str, load_data: Load) -> None:
    data = load_data("digits")
    trust(OWN_TRAINING)
    config = configuration.from_dict(
        {
            "schedule": {"name": OWN["schedule"] if schedule == "python" else schedule}
            | FALLING.get(schedule, {}),
            "optimizer": {"name": "sgd", "lr": 0.5},
            "training": {"epochs": 3, "batch_size": 256},
        }
    )
    events: list[Event] = []
    model = build(config.model, data, seed=0)
    train(
        config,
        data,
        model,
        TrainingContext(torch.device("cpu")),
        emit=events.append,
        control=RunControl(),
        checkpoints=Kept(),
    )
    rates = [event.lr for event in events if isinstance(event, EpochFinished)]
    steps = -(-len(data.train) // 256)
    last_steps = [epoch * steps - 1 for epoch in (1, 2, 3)]
    seen = [{}, {"factor": 1.0}, {"factor": 0.1}]  # by a plateau
    pairs = zip(last_steps, seen, strict=True)
    loaded = config.schedule.loaded(RunLength(3, steps))
    assert rates == [0.5 * loaded.factor(step, 3 * steps, steps, known) for step, known in pairs]
    assert (rates == [0.5, 0.5, 0.5]) == (schedule == "constant")
    assert all(event.lr > 0 for event in events if isinstance(event, StepLogged))
