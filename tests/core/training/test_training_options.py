"""Effects of the training options on a step, beside loops written by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.config.training import Training
from core.control import RunControl
from core.data.batches import Batch, epoch_order
from core.data.dataset import Dataset
from core.errors import RunError
from core.events import CheckpointSaved, EpochFinished, EvaluationFinished, Event, Notice, RunPaused
from core.models.moving_average import MovingAverage
from core.models.registry import build
from core.runs.checkpoints import FolderCheckpoints
from core.session import session
from core.training.context import TrainingContext
from core.training.engine import TrainingResult, train
from core.training.step import step_function
from core.training.validation import validate
from tests.support.narrow import instance

Load = Callable[..., Dataset]
Train = Callable[..., Any]

EPOCHS, BATCH, SEED = 2, 50, 3


class Forgetful:
    """Checkpoints that nobody keeps."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


def config_with(**training: Any) -> TrainConfig:
    return configuration.from_dict(
        {
            "model": {"name": "mlp", "hidden": [16]},
            "loss": "cross_entropy",
            "optimizer": {"name": "momentum", "lr": 0.1},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "seed": SEED, **training},
        }
    )


def trained(data: Dataset, config: TrainConfig) -> tuple[nn.Module, list[Event], TrainingResult]:
    """The network that the engine trains, on one thread, with what it told and how it ended."""
    torch.set_num_threads(1)
    model = build(config.model, data, SEED)
    events: list[Event] = []
    result = train(
        config,
        data,
        model,
        TrainingContext(torch.device("cpu")),
        emit=events.append,
        control=RunControl(),
        checkpoints=Forgetful(),
    )
    return model, events, result


class ByHand:
    """The same network and optimizer, for a loop written out in a test."""

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        self.model = build(config.model, data, SEED)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9, fused=True)
        self.inputs = (instance(Tensor, data.train.inputs).float() - data.mean) / data.std
        self.targets = data.train.targets

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Those of all epochs."""
        for epoch in range(EPOCHS):
            for rows in epoch_order(len(self.inputs), SEED, epoch).split(size):
                yield self.inputs[rows], self.targets[rows]


def assert_equal(model: nn.Module, other: nn.Module) -> None:
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_gradients_are_clipped_as_pytorch_does(load_data: Load) -> None:
    data, config = load_data("digits"), config_with(clip_norm=0.5)
    hand, clipped = ByHand(data, config), 0
    for inputs, targets in hand.batches(BATCH):
        hand.optimizer.zero_grad()
        cross_entropy(hand.model(inputs), targets).backward()
        clipped += bool(nn.utils.clip_grad_norm_(hand.model.parameters(), 0.5) > 0.5)
        hand.optimizer.step()
    assert clipped > 10
    assert_equal(trained(data, config)[0], hand.model)


def test_accumulated_gradients_are_those_of_the_loop_by_hand(load_data: Load) -> None:
    data, config = load_data("digits"), config_with(accumulate=4)
    hand, parts = ByHand(data, config), []
    for inputs, targets in hand.batches(4 * BATCH):
        hand.optimizer.zero_grad()
        pairs = list(zip(inputs.split(BATCH), targets.split(BATCH), strict=True))
        for some_inputs, some_targets in pairs:
            loss = cross_entropy(hand.model(some_inputs), some_targets, reduction="sum") / len(inputs)
            loss.backward()
        hand.optimizer.step()
        parts.append([len(some) for _, some in pairs])
    model, events, _ = trained(data, config)
    assert parts[-1] == [50, 43], "the last step of an epoch is smaller, and so is its last part"
    for ours, theirs in zip(model.parameters(), hand.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
    assert [event.step for event in events if isinstance(event, EpochFinished)] == [7, 14]


def test_small_batches_accumulated_train_as_large_ones(load_data: Load) -> None:
    """Loss and accuracy of every epoch, too."""
    data = load_data("digits")
    large, told, _ = trained(data, config_with(batch_size=200))
    small, same, _ = trained(data, config_with(batch_size=50, accumulate=4))
    for ours, theirs in zip(small.parameters(), large.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    epochs = [[event for event in events if isinstance(event, EpochFinished)] for events in (told, same)]
    for one, other in zip(*epochs, strict=True):
        assert one.train == pytest.approx(other.train, abs=1e-5)
        assert one.validation == pytest.approx(other.validation, abs=1e-5)


def test_the_running_mean_of_the_weights_is_that_of_the_loop_by_hand(load_data: Load) -> None:
    """It is validated and kept in place of the weights, which go their own way."""
    data, config = load_data("digits"), config_with(ema=0.9)
    hand = ByHand(data, config)
    mean: list[Tensor] = []
    for inputs, targets in hand.batches(BATCH):
        hand.optimizer.zero_grad()
        cross_entropy(hand.model(inputs), targets).backward()
        hand.optimizer.step()
        weights = [weight.detach() for weight in hand.model.parameters()]
        pairs = zip(mean, weights, strict=True)
        mean = (
            [0.9 * old + 0.1 * new for old, new in pairs] if mean else [weight.clone() for weight in weights]
        )
    model, events, result = trained(data, config)
    assert_equal(model, hand.model)
    assert result.best_weights is not None
    assert result.best_epoch == EPOCHS
    for kept, ours, theirs in zip(result.best_weights.values(), mean, hand.model.parameters(), strict=True):
        assert torch.allclose(kept, ours, atol=1e-6)
        assert not torch.allclose(kept, theirs, atol=1e-3)
    held = data.validation
    model.load_state_dict(result.best_weights)
    outputs = model((instance(Tensor, held.inputs).float() - data.mean) / data.std)
    told = [event for event in events if isinstance(event, EpochFinished)][-1].validation["loss"]
    assert told == pytest.approx(cross_entropy(outputs, held.targets).item(), rel=1e-5)


def test_a_running_mean_takes_the_statistics_of_batch_normalisation_as_they_are() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    mean = MovingAverage(model, 0.99)
    step = step_function(Training(), model, cross_entropy, optimizer, ema=mean)
    for _ in range(3):
        step(Batch(torch.rand(8, 4), torch.tensor([0, 1] * 4)))
    norm, averaged = model.get_submodule("1"), mean.module.get_submodule("1")
    assert norm.get_buffer("num_batches_tracked").item() == 3
    assert all(torch.equal(one, other) for one, other in zip(norm.buffers(), averaged.buffers(), strict=True))
    assert not torch.equal(model.get_parameter("0.weight"), mean.module.get_parameter("0.weight"))


def test_what_is_evaluated_are_the_averaged_weights(train_run: Train) -> None:
    run = train_run({"data": "iris", "model": "mlp", "training": {"ema": 0.95}})
    best, last = run.weights("best"), run.checkpoint("last")
    epoch = run.told(EpochFinished)[-1]
    assert epoch.best_epoch == epoch.epoch
    for name, weight in best.items():
        assert torch.equal(weight, last["ema"][f"module.{name}"])
        assert not torch.equal(weight, last["model"][name])
    accuracy = run.told(EvaluationFinished)[0].metrics["accuracy"]
    assert accuracy == pytest.approx(epoch.best_metrics["accuracy"], abs=1e-6)


# -- time ------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes at every step of training, a minute each, and never else."""

    def __init__(self) -> None:
        self.now = 1000.0

    def perf_counter(self) -> float:
        return self.now

    def tick(self, module: nn.Module, inputs: Any) -> None:
        self.now += 60.0 * module.training


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("core.training.engine.time", clock)
    original = session.prepare

    def prepare(*arguments: Any, **named: Any) -> Any:
        prepared = original(*arguments, **named)
        prepared.model.register_forward_pre_hook(clock.tick)
        return prepared

    monkeypatch.setattr(session, "prepare", prepare)
    return clock


TIMED = {"data": "iris", "model": "mlp", "training": {"epochs": 9, "batch_size": 32, "max_minutes": 5.5}}
"""Four steps an epoch."""


def stop(control: RunControl, model: Any) -> None:
    control.stop()


def test_a_run_ends_early_when_its_time_is_up(train_run: Train, clock: Clock) -> None:
    run = train_run(TIMED)
    assert run.finished.status == "completed"
    assert [event.message for event in run.told(Notice)] == [
        "the time limit of 5.5 minutes is reached in epoch 2, step 6: stopping early"
    ]
    assert [(event.epoch, event.step) for event in run.told(EpochFinished)] == [(1, 4), (2, 6)]
    assert [event.split for event in run.told(EvaluationFinished)] == ["validation", "test"]
    assert run.checkpoint()["progress"]["seconds"] == 360


@pytest.mark.slow
def test_the_time_of_all_sessions_counts_and_more_can_be_given(train_run: Train, clock: Clock) -> None:
    first = train_run(TIMED, at_step=(3, stop))
    clock.now += 1e6
    second = train_run(run=first.run)
    assert second.told(EpochFinished)[-1].step == 6
    with pytest.raises(
        RunError, match=r"is complete: 2 epochs\. Give a larger training\.max_minutes to train on"
    ):
        train_run(run=first.run)
    with pytest.raises(RunError, match="is complete: 2 epochs"):
        train_run({"training": {"max_minutes": 4}}, run=first.run)
    third = train_run({"training": {"max_minutes": 8.5}}, run=first.run)
    assert third.told(EpochFinished)[-1].step == 9
    assert third.told(Notice)[-1].message.startswith("the time limit of 8.5 minutes")
    assert not [event for event in third.told(Notice) if event.level == "warning"]
    fourth = train_run({"training": {"max_minutes": 0}}, run=first.run)
    assert fourth.told(EpochFinished)[-1].epoch == 9


def test_a_pause_takes_no_time(train_run: Train, clock: Clock) -> None:
    def pause(control: RunControl, model: Any) -> None:
        control.pause()

    def wait(event: Event, control: RunControl) -> None:
        if isinstance(event, RunPaused):
            clock.now += 1e6
            control.resume()

    run = train_run(TIMED, at_step=(2, pause), on_event=wait)
    assert run.told(EpochFinished)[-1].step == 6


def test_time_that_runs_out_in_a_validation_ends_the_run_there(
    train_run: Train, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any) -> Any:
        clock.now += 120
        return validate(*arguments)

    monkeypatch.setattr("core.training.learner.validate", slow)
    monkeypatch.setattr("core.training.engine.SAVE_SECONDS", 1e9)
    run = train_run(TIMED)
    assert run.told(EpochFinished)[-1].step == 4
    assert run.checkpoint()["progress"]["seconds"] == 360


def test_a_checkpoint_in_a_pause_does_not_count_it(
    train_run: Train, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(event: Event, control: RunControl) -> None:
        if isinstance(event, RunPaused):
            clock.now += 1e6
            control.checkpoint()
        elif isinstance(event, CheckpointSaved):
            control.resume()

    def save(checkpoints: FolderCheckpoints, state: dict[str, Any], kind: Any) -> None:
        if kind == "last":
            saved.append((state["progress"]["seconds"], state["progress"]["epoch_seconds"]))

    saved: list[tuple[float, float]] = []
    monkeypatch.setattr(FolderCheckpoints, "save", save)
    train_run(TIMED, at_step=(2, lambda control, model: control.pause()), on_event=act)
    assert saved[0] == (120, 120)


# -- determinism -----------------------------------------------------------------------------------------------


def test_an_operation_without_a_deterministic_form_is_named(train_run: Train) -> None:
    def scatter(control: RunControl, model: Any) -> None:
        torch.zeros(2).put_(torch.tensor([0, 0]), torch.ones(2))

    values = {"data": "iris", "model": "mlp", "training": {"deterministic": True}}
    assert train_run({"data": "iris", "model": "mlp"}, at_step=(1, scatter)).finished.status == "completed"
    finished = train_run(values, at_step=(1, scatter)).finished
    assert (finished.status, finished.traceback) == ("failed", "")
    assert finished.error == (
        "training.deterministic: put_ has no deterministic implementation here. "
        "Turn it off, or choose a model, loss or device that has one"
    )
    assert not torch.are_deterministic_algorithms_enabled(), "other runs of this process are free again"
