"""Losses, optimizers and schedules of the user's own train as in a plain loop of PyTorch's, and resume, bit for bit."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from core.config import schema as configuration
from core.config.schema import FAMILIES, TrainConfig
from core.control import RunControl
from core.data.batches import Batch, Batches, epoch_order
from core.data.dataset import Dataset, no_progress
from core.errors import ConfigError, UntrustedCode, UserCodeError
from core.events import EpochFinished, Event, Notice
from core.export.export import export
from core.inference.stored import saved_evaluation
from core.losses import Auto
from core.models.registry import build
from core.options import choices
from core.runs.code import agreed_code, from_copies, trust_config, unknown_code
from core.runs.creating import create_run
from core.session.evaluation import score_inputs, trained_model
from core.session.preparation import assemble
from core.training.context import TrainingContext
from core.training.engine import train
from core.user_code.loading import load_object
from core.user_code.trust import trust
from tests.support import own_training as own
from tests.support.fixtures import TrainRun
from tests.support.narrow import some
from tests.support.repository import REPOSITORY

CPU = torch.device("cpu")
FILE = REPOSITORY / "tests" / "support" / "own_training.py"
BATCH, EPOCHS, SEED, RATE = 32, 3, 3, 0.01
Load = Callable[..., Dataset]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    trust(FILE)


def config_of(sections: dict[str, Any], epochs: int = EPOCHS) -> TrainConfig:
    values: dict[str, Any] = {"data": "wine", "model": {"name": "mlp", "hidden": [8]}}
    values |= {"optimizer": {"name": "sgd", "lr": RATE}}
    training = {"epochs": epochs, "batch_size": BATCH, "seed": SEED, "device": "cpu", "threads": 1}
    return configuration.from_dict(configuration.merge({**values, "training": training}, sections))


def named(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": "python", "path": f"{FILE}:{name}", **fields}


class Kept:
    """Checkpoints in memory."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    def save(self, state: dict[str, Any], kind: str) -> None:
        self.states[kind] = state


def run(
    config: TrainConfig, data: Dataset, *, stop_after: int = 0, state: Any = None
) -> tuple[nn.Module, list[Event], dict[str, Any]]:
    """Train to the end, or to the first step after an epoch; return the network, the events and the last state."""
    model, control, kept = build(config.model, data, config.training.seed), RunControl(), Kept()
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochFinished) and event.epoch == stop_after:
            control.stop()

    context = TrainingContext(CPU)
    train(config, data, model, context, emit=emit, control=control, checkpoints=kept, resume_from=state)
    return model, events, kept.states["last"]


def batches(data: Dataset, epoch: int) -> list[Batch]:
    return list(Batches(data.train, data, CPU).iterate(BATCH, epoch_order(len(data.train), SEED, epoch)))


def steps_of(data: Dataset) -> int:
    return -(-len(data.train) // BATCH)


def plain_loop(
    data: Dataset,
    model: nn.Module,
    loss: Any,
    optimizer: Any,
    after_step: Callable[[], object] = lambda: None,
    after_epoch: Callable[[float], object] = lambda value: None,
) -> None:
    """Train as PyTorch's documentation does."""
    validation = Batches(data.validation, data, CPU)
    for epoch in range(EPOCHS):
        for inputs, targets, _ in batches(data, epoch):
            optimizer.zero_grad()
            loss(model(inputs), targets).mean().backward()
            optimizer.step()
            after_step()
        with torch.no_grad():
            inputs, targets, _ = next(validation.iterate(1024))
            after_epoch(float(loss(model(inputs), targets).mean()))


def assert_same(first: Any, second: Any) -> None:
    """Equal in every bit of a nested state."""
    if isinstance(first, Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list | tuple):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


def fresh(data: Dataset) -> nn.Module:
    return build(config_of({}).model, data, SEED)


LOSSES: dict[str, Callable[[], Any]] = {
    "huber_of_classes": lambda: own.huber_of_classes,
    "Smooth": own.Smooth,
    "Heavy": lambda: own.Heavy(3),
}


@pytest.mark.parametrize("name", LOSSES)
def test_an_own_loss_trains_as_in_a_plain_loop(name: str, load_data: Load) -> None:
    data = load_data("wine")
    trained, _, state = run(config_of({"loss": named(name)}), data)
    model = fresh(data)
    loss = LOSSES[name]()
    weights = list(loss.parameters()) if isinstance(loss, nn.Module) else []
    plain_loop(data, model, loss, torch.optim.SGD([*model.parameters(), *weights], lr=RATE))
    assert_same(trained.state_dict(), model.state_dict())
    if weights:
        assert torch.equal(state["loss"]["loss.temperature"], loss.temperature)
        assert float(state["loss"]["loss.seen"].sum()) == EPOCHS * len(data.train), "of training alone"


def test_an_own_optimizer_trains_as_in_a_plain_loop(load_data: Load) -> None:
    data = load_data("wine")
    trained, _, _ = run(config_of({"optimizer": named("Opt", lr=RATE, arguments={"beta1": 0.8})}), data)
    model = fresh(data)
    plain_loop(data, model, nn.CrossEntropyLoss(), own.Opt(model.parameters(), lr=RATE, beta1=0.8))
    assert_same(trained.state_dict(), model.state_dict())


def test_an_own_optimizer_that_needs_a_closure_gets_one(load_data: Load) -> None:
    data = load_data("wine")
    trained, _, _ = run(config_of({"optimizer": named("LBFGS", lr=0.1, arguments={"max_iter": 4})}), data)
    model = fresh(data)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    loss = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        for inputs, targets, _ in batches(data, epoch):

            def closure(inputs: Tensor = inputs, targets: Tensor = targets) -> Tensor:
                optimizer.zero_grad()
                value: Tensor = loss(model(inputs), targets)
                value.backward()
                return value

            optimizer.step(closure)
    assert_same(trained.state_dict(), model.state_dict())


def test_a_schedule_per_epoch_is_that_of_a_plain_loop(load_data: Load) -> None:
    data = load_data("wine")
    trained, events, _ = run(config_of({"schedule": named("Sched", arguments={"gamma": 0.5})}), data)
    model = fresh(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    schedule, rates = own.Sched(optimizer, gamma=0.5), []

    def after_epoch(value: float) -> None:
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()

    plain_loop(data, model, nn.CrossEntropyLoss(), optimizer, after_epoch=after_epoch)
    assert_same(trained.state_dict(), model.state_dict())
    assert [event.lr for event in events if isinstance(event, EpochFinished)] == rates


def test_a_schedule_per_step_gets_the_length_of_the_run(load_data: Load) -> None:
    data = load_data("wine")
    arguments = {"max_lr": 0.1, "cycle_momentum": True}
    momentum = {"name": "momentum", "lr": RATE}
    schedule = named("OneCycleLR", per="step", arguments=arguments)
    trained, _, state = run(config_of({"optimizer": momentum, "schedule": schedule}), data)
    model = fresh(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    cycle = OneCycleLR(optimizer, max_lr=0.1, total_steps=EPOCHS * steps_of(data))
    plain_loop(data, model, nn.CrossEntropyLoss(), optimizer, after_step=cycle.step)
    assert_same(trained.state_dict(), model.state_dict())
    assert state["schedule"]["calls"] == EPOCHS * steps_of(data) - 1


def test_a_schedule_that_follows_validation_gets_the_monitored_number(load_data: Load) -> None:
    data = load_data("wine")
    arguments = {"patience": 0, "threshold": 10.0, "factor": 0.5}
    trained, events, _ = run(config_of({"schedule": named("ReduceLROnPlateau", arguments=arguments)}), data)
    model = fresh(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    plateau = ReduceLROnPlateau(optimizer, patience=0, threshold=10.0, factor=0.5)
    plain_loop(data, model, nn.CrossEntropyLoss(), optimizer, after_epoch=plateau.step)
    assert_same(trained.state_dict(), model.state_dict())
    rates = [event.lr for event in events if isinstance(event, EpochFinished)]
    assert rates == [RATE, RATE / 2, RATE / 4], "nothing is better than infinity by that much"


def test_a_function_of_the_step_gives_a_factor(load_data: Load) -> None:
    data = load_data("wine")
    trained, _, _ = run(config_of({"schedule": named("falling", arguments={"power": 2.0})}), data)
    model = fresh(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    steps = itertools.count(1)

    def after_step() -> None:
        optimizer.param_groups[0]["lr"] = RATE * own.falling(next(steps), EPOCHS * steps_of(data), 2.0)

    plain_loop(data, model, nn.CrossEntropyLoss(), optimizer, after_step=after_step)
    assert_same(trained.state_dict(), model.state_dict())


RESUMED: dict[str, dict[str, Any]] = {
    "loss": {"loss": named("Heavy"), "optimizer": "adam"},
    "optimizer": {"optimizer": named("Opt")},
    "closure": {"optimizer": named("LBFGS", arguments={"max_iter": 3})},
    "schedule per epoch": {"schedule": named("Sched")},
    "schedule per step": {
        "schedule": named("OneCycleLR", per="step", arguments={"max_lr": 0.1}),
        "optimizer": "momentum",
    },
    "plateau": {"schedule": named("ReduceLROnPlateau", arguments={"patience": 0, "threshold": 10.0})},
    "function": {"schedule": named("falling")},
}


@pytest.mark.parametrize("name", RESUMED)
def test_each_resumes_bit_for_bit(name: str, load_data: Load) -> None:
    data, config = load_data("wine"), config_of(RESUMED[name])
    model, events, state = run(config, data)
    _, before, stopped = run(config, data, stop_after=2)
    assert stopped["progress"]["batch"] == 1, "in the middle of an epoch"
    again, after, last = run(config, data, state=stopped)
    assert_same(again.state_dict(), model.state_dict())
    for part in state.keys() - {"progress", "threads"}:
        assert_same(last[part], state[part])
    told = [
        {
            event.epoch: (event.lr, event.train, event.validation)
            for event in some
            if isinstance(event, EpochFinished)
        }
        for some in (events, before + after)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "schedule",
    [
        named("falling"),
        named("OneCycleLR", per="step", arguments={"max_lr": 0.1, "cycle_momentum": False}),
        "cosine",
    ],
    ids=["function", "class", "built in"],
)
def test_more_epochs_are_reported_where_the_learning_rate_jumps(schedule: Any, load_data: Load) -> None:
    data = load_data("wine")
    _, _, state = run(config_of({"schedule": schedule}), data)
    _, events, last = run(config_of({"schedule": schedule}, 2 * EPOCHS), data, state=state)
    told = [event.message for event in events if isinstance(event, Notice)]
    assert [message.partition(": the learning rate jumps from ")[0] for message in told] == [
        "the run has 6 epochs instead of 3"
    ]
    assert last["progress"]["epoch"] == 2 * EPOCHS


def test_a_constant_rate_does_not_jump(load_data: Load) -> None:
    data = load_data("wine")
    _, _, state = run(config_of({}), data)
    _, events, _ = run(config_of({}, 2 * EPOCHS), data, state=state)
    assert not [event for event in events if isinstance(event, Notice)]


WRONG = """
import torch
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LRScheduler

def number(outputs, targets):
    return 0.5

def rows(outputs, targets):
    return torch.ones(2, 2, requires_grad=True)

def detached(outputs, targets):
    return outputs.detach().mean()

def failing(outputs, targets):
    return outputs[:, 99].mean()

class Embeds(nn.Module):
    outputs = 5
    def forward(self, outputs, targets):
        return outputs.square().mean()

def no_weights(lr=0.1):
    return SGD([torch.zeros(1)], lr=lr)

def not_one(params):
    return 3

class Keeps(SGD):
    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr)
        self.param_groups[0]["when"] = lambda: 0

def nothing():
    return 1

class Lambda(LRScheduler):
    def __init__(self, optimizer):
        self.how = lambda: 1.0
        super().__init__(optimizer)
    def get_lr(self):
        return [0.1 * self.how() for _ in self.base_lrs]
"""


@pytest.mark.parametrize(
    ("section", "name", "told"),
    [
        ("loss", "number", r"loss\.path: .*number returned an object of type float"),
        ("loss", "rows", r"returned a tensor of shape \(2, 2\) for 32 samples"),
        ("loss", "detached", r"a step with .*detached failed: RuntimeError"),
        ("loss", "failing", r"wrong\.py, line 17: IndexError"),
        ("loss", "Embeds", r"loss\.path: scores have the shape \(32, 5\) .* needs 32x3\. Define scores"),
        ("loss", "absent", "has no 'absent'"),
        ("optimizer", "no_weights", r"optimizer\.path: .*has no argument 'params'"),
        ("optimizer", "not_one", "returned an object of type int, not an optimizer"),
        ("optimizer", "Keeps", r"keeps an object of type function as 'param_groups\[0\]\.when'"),
        ("schedule", "nothing", "takes neither an optimizer nor a step"),
        ("schedule", "Lambda", r"keeps an object of type function as 'scheduler\.how'"),
    ],
)
def test_what_cannot_be_used_is_found_before_anything_is_written(
    section: str, name: str, told: str, tmp_path: Path, load_data: Load
) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    trust(path)
    config = config_of({section: f"{path}:{name}"})
    with pytest.raises((ConfigError, UserCodeError), match=told):
        assemble(config, load_data("wine"))


def test_a_loss_that_cannot_take_mixed_classes_is_found_before(tmp_path: Path, load_data: Load) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from torch.nn import functional as F\ndef nll(o, t):\n    return F.nll_loss(o.log_softmax(1), t)\n"
    )
    trust(path)
    digits = {"data": {"name": "digits", "augment": ["mixup"]}, "loss": f"{path}:nll"}
    with pytest.raises(UserCodeError, match=r"mine\.py, line 3: RuntimeError"):
        assemble(config_of(digits), load_data("digits"))
    assemble(config_of({**digits, "data": "digits"}), load_data("digits"))


def test_arguments_are_checked_by_name_and_type(load_data: Load) -> None:
    data = load_data("wine")
    with pytest.raises(ConfigError, match=r"optimizer\.arguments\.beta: "):
        assemble(config_of({"optimizer": named("Opt", arguments={"beta": 1})}), data)
    with pytest.raises(ConfigError, match=r"schedule\.arguments\.gamma: got 'x'"):
        assemble(config_of({"schedule": named("Sched", arguments={"gamma": "x"})}), data)
    assert isinstance(config_of({}).loss, Auto)


def test_a_missing_path_is_asked_for(load_data: Load) -> None:
    for section in ("loss", "optimizer", "schedule"):
        with pytest.raises(ConfigError, match=rf"{section}\.path: no file is given"):
            assemble(config_of({section: "python"}), load_data("wine"))


# -- parameter groups and dropped batches ------------------------------------------------------------------------


def names_of(model: nn.Module) -> list[str]:
    return [name for name, _ in model.named_parameters()]


def test_groups_train_as_those_of_a_plain_loop(load_data: Load) -> None:
    data = load_data("wine")
    names = names_of(fresh(data))
    first = next(name for name in names if name.endswith("weight"))
    groups = {first: {"lr": 0.001, "weight_decay": 0.1}, "*.bias": {"freeze": True}}
    optimizer = {"name": "momentum", "lr": RATE, "groups": groups}
    trained, _, _ = run(config_of({"optimizer": optimizer, "schedule": "cosine"}), data)
    model = fresh(data)
    weights = dict(model.named_parameters())
    biases = [weight for name, weight in weights.items() if name.endswith("bias")]
    for bias in biases:
        bias.requires_grad_(False)
    others = [weight for name, weight in weights.items() if name != first and not name.endswith("bias")]
    slow: dict[str, Any] = {"params": [weights[first]], "lr": 0.001, "weight_decay": 0.1}
    plain = torch.optim.SGD([{"params": others}, slow], lr=RATE, momentum=0.9)
    steps, cosine = itertools.count(1), config_of({"schedule": "cosine"}).schedule
    total, each = EPOCHS * steps_of(data), steps_of(data)

    def after_step() -> None:
        factor = cosine.factor(next(steps), total, each)
        for group, rate in zip(plain.param_groups, (RATE, 0.001), strict=True):
            group["lr"] = rate * factor

    plain_loop(data, model, nn.CrossEntropyLoss(), plain, after_step=after_step)
    assert_same(trained.state_dict(), model.state_dict())
    assert_same(dict(trained.named_parameters())["3.bias"], fresh(data).get_parameter("3.bias"))


@pytest.mark.parametrize("name", [*choices(FAMILIES["optimizer"])])
def test_every_optimizer_takes_groups(name: str, load_data: Load) -> None:
    data, model = load_data("wine"), fresh(load_data("wine"))
    first, *others = names_of(model)
    groups: dict[str, Any] = {first: {"freeze": True}}
    if name != "lbfgs":
        groups[others[-1]] = {"lr": 0.5}
    own_class = {"path": f"{FILE}:Opt"} if name == "python" else {}
    config = config_of({"optimizer": {"name": name, "lr": 0.01, "groups": groups, **own_class}})
    optimizer = config.optimizer.build(model)
    moved = [weight for group in optimizer.param_groups for weight in group["params"]]
    assert {id(weight) for weight in moved} == {id(model.get_parameter(other)) for other in others}
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    assert rates[id(model.get_parameter(others[0]))] == 0.01
    assert name == "lbfgs" or rates[id(model.get_parameter(others[-1]))] == 0.5
    _, before, stopped = run(config, data, stop_after=1)
    again, after, _ = run(config, data, state=stopped)
    whole, _, _ = run(config, data)
    assert_same(again.state_dict(), whole.state_dict())
    assert before
    assert after


def test_a_pattern_without_a_match_names_near_names(load_data: Load) -> None:
    config = config_of({"optimizer": {"name": "adam", "groups": {"4.*": {"lr": 0.1}}}})
    with pytest.raises(ConfigError, match=r"no weight has a name like '4\.\*'\. Near names: .*3\.\*"):
        assemble(config, load_data("wine"))


def test_frozen_weights_are_counted_as_such(load_data: Load) -> None:
    data = load_data("wine")
    summary = assemble(config_of({"optimizer": {"groups": {"*.bias": {"lr": 0}}}}), data).summary
    biases = sum(weight.numel() for name, weight in fresh(data).named_parameters() if name.endswith("bias"))
    assert summary.trainable == summary.parameters - biases


def test_one_learning_rate_of_lbfgs(load_data: Load) -> None:
    config = config_of({"optimizer": {"name": "lbfgs", "groups": {"*.bias": {"lr": 0.1}}}})
    with pytest.raises(ConfigError, match="lbfgs takes one learning rate"):
        config.optimizer.build(fresh(load_data("wine")))


def test_the_last_batch_can_be_dropped(load_data: Load) -> None:
    data = load_data("wine")
    assert len(data.train) % BATCH
    trained, _, state = run(config_of({"training": {"drop_last": True}}), data)
    model = fresh(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for epoch in range(EPOCHS):
        for inputs, targets, _ in batches(data, epoch)[:-1]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    assert_same(trained.state_dict(), model.state_dict())
    assert state["progress"]["step"] == EPOCHS * (len(data.train) // BATCH)
    _, _, stopped = run(config_of({"training": {"drop_last": True}}), data, stop_after=1)
    again, _, _ = run(config_of({"training": {"drop_last": True}}), data, state=stopped)
    assert_same(again.state_dict(), trained.state_dict())


def test_dropping_the_only_batch_is_an_error(load_data: Load) -> None:
    with pytest.raises(ConfigError, match=r"training\.drop_last: a batch of 4096 has more samples"):
        assemble(config_of({"training": {"drop_last": True, "batch_size": 4096}}), load_data("wine"))


# -- examples, and the life of a run -----------------------------------------------------------------------------


EXAMPLES = REPOSITORY / "examples" / "own_losses.py"
EXAMPLE_RUNS: dict[str, tuple[dict[str, Any], float]] = {
    "GaussianNll": ({"data": "diabetes", "model": "mlp", "training": {"epochs": 15, "monitor": "r2"}}, 0.3),
    "Cosine": ({"data": "wine", "model": "mlp", "training": {"epochs": 8}}, 0.9),
    "Triplet": ({"data": "wine", "model": "mlp", "training": {"epochs": 8}}, 0.9),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLE_RUNS)
def test_the_examples_learn_are_evaluated_and_exported(
    name: str, tmp_path: Path, train_run: TrainRun
) -> None:
    """By copies of the file: the original is gone, and so are the loss's weights and buffers but for the checkpoint."""
    values, enough = EXAMPLE_RUNS[name]
    path = tmp_path / "losses.py"
    path.write_text(EXAMPLES.read_text())
    trust(path)
    optimizer = {"name": "adam", "lr": 0.01}
    network = {"name": "mlp", "hidden": [16]}
    fixed = {"optimizer": optimizer, "model": network, "loss": f"{path}:{name}"}
    trained = train_run(configuration.merge(fixed, values))
    assert trained.finished.status == "completed", trained.finished.error
    score = "r2" if name == "GaussianNll" else "accuracy"
    evaluation = some(saved_evaluation(trained.run, "test"))
    assert some(evaluation.report.metrics[score]) > enough
    path.unlink()
    again = trained_model(trained.run)
    inputs = again.data.test.inputs
    assert isinstance(inputs, Tensor)
    assert np.allclose(score_inputs(again, inputs), evaluation.predictions.scores, rtol=1e-4, atol=1e-4)
    exported = export(trained.run, "pt2", tmp_path / "out", data_root=None, progress=no_progress)
    assert some(exported.difference) < 1e-3


@pytest.mark.parametrize("section", ["loss", "optimizer", "schedule"])
def test_what_a_strangers_run_names_needs_consent(section: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FILE.read_text())
    name = {"loss": "Heavy", "optimizer": "Opt", "schedule": "Sched"}[section]
    config = config_of({section: f"{path}:{name}"})
    made = create_run(tmp_path / "runs", config)
    copy = made.code_folder / section / "mine.py"
    assert [str(program) for program in unknown_code(config, made)] == [str(copy.resolve())]
    with pytest.raises(UntrustedCode):
        load_object(getattr(from_copies(config, made), section).path)
    trust_config(config, made)
    assert unknown_code(config, made) == []
    assert len(agreed_code(config, made)) == 1
    copy.write_text(copy.read_text() + "# changed\n")
    assert len(unknown_code(config, made)) == 1
