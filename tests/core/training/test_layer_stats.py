"""Statistics of the layers of a network while it trains."""

import math
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import nn

from core.config.training import Training
from core.control import Request
from core.data.batches import Batch
from core.errors import RunDamaged
from core.events import EpochFinished, LayersSampled, Notice, RunFinished, from_json, to_json
from core.runs.history.history import History
from core.runs.log import all_events
from core.training import layer_stats
from core.training.layer_stats import LayerWatch
from core.training.step import step_function
from core.training.worker import TrainingWorker

Train = Callable[..., Any]
WATCHED = {"data": "digits", "model": {"hidden": [16, 8]}, "training": {"epochs": 2, "watch_layers": True}}


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is sampled."""
    monkeypatch.setattr(layer_stats, "MIN_SECONDS", 0.0)
    monkeypatch.setattr(layer_stats, "MAX_SHARE", math.inf)


def watched(model: nn.Module, inputs: torch.Tensor, lr: float = 0.1, steps: int = 1) -> list[Any]:
    """Return the statistics of some steps."""
    told: list[Any] = []
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    step = step_function(Training(), model, nn.functional.cross_entropy, optimizer)
    around = LayerWatch(model, told.append).around(step, lambda: (1, 7))
    for _ in range(steps):
        around(Batch(inputs, torch.arange(len(inputs)) % 2))
    return told


def test_norms_are_those_of_the_step(often: None) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
    before = [weight.detach().clone() for weight in model.parameters()]
    (sample,) = watched(model, torch.randn(8, 3))
    gradients = [weight.grad for weight in model.parameters()]

    def norm(*parts: Any) -> float:
        return math.sqrt(sum(float(part.square().sum()) for part in parts))

    assert (sample.epoch, sample.step) == (1, 7)
    assert sample.names == ["0", "2"]
    assert sample.kinds == ["Linear", "Linear"]
    assert sample.weights == pytest.approx([norm(*before[:2]), norm(before[2])])
    assert sample.gradients == pytest.approx([norm(*gradients[:2]), norm(gradients[2])])
    ratios = [0.1 * norm(*gradients[:2]) / norm(*before[:2]), 0.1 * norm(gradients[2]) / norm(before[2])]
    assert sample.updates == pytest.approx(ratios, rel=1e-4)


def test_units_that_are_never_on_are_dead(often: None) -> None:
    model = nn.Sequential(
        nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Linear(5, 2)
    )
    with torch.no_grad():
        model.get_parameter("0.bias").copy_(torch.tensor([-100.0, -100.0, -100.0, 100.0]))
        model.get_parameter("3.bias").copy_(torch.tensor([-1e6, 1e6, 1e6, 1e6, 1e6]))
    sample = watched(model, torch.randn(8, 1, 8), lr=1e-9)[0]
    assert sample.dead == [0.75, pytest.approx(0.2), None]


def test_frozen_layers_are_left_out(often: None) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    (sample,) = watched(model, torch.randn(8, 3))
    assert sample.names == ["2"]
    assert not any(module._forward_hooks for module in model.modules()), "the network is left as it was"


def test_vanishing_gradients_are_noted_once(often: None) -> None:
    parts = [part for _ in range(12) for part in (nn.Linear(8, 8), nn.Sigmoid())]
    torch.manual_seed(0)
    told = watched(nn.Sequential(*parts, nn.Linear(8, 2)), torch.randn(16, 8), steps=3)
    (notice,) = [event for event in told if isinstance(event, Notice)]
    assert notice.level == "warning"
    assert notice.message.startswith("gradients vanish: the norm of 0 is")


@pytest.mark.parametrize("size", [1e4, math.inf])
def test_exploding_gradients_are_noted_once(often: None, size: float) -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    told: list[Any] = []
    scale = iter([1.0, size, size])

    def step(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        for weight in model.parameters():
            weight.grad = torch.full_like(weight, next_scale[0])
        return torch.zeros(()), torch.zeros(1, 2)

    around = LayerWatch(model, told.append).around(step, lambda: (1, 1))
    for value in scale:
        next_scale = [value]
        around(Batch(torch.zeros(1, 3), torch.zeros(1)))
    (notice,) = [event for event in told if isinstance(event, Notice)]
    assert notice.message.startswith("gradients explode: the norm is")


def test_samples_are_spaced_by_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred times the cost of one is waited for the next."""
    clock = [0.0]
    monkeypatch.setattr("core.training.layer_stats.time.perf_counter", lambda: clock[0])
    told: list[Any] = []

    def emit(event: Any) -> None:
        clock[0] += 0.05  # what a sample costs
        told.append(clock[0])

    def step(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        clock[0] += 0.01
        return batch.inputs, batch.targets

    around = LayerWatch(nn.Linear(2, 2), emit).around(step, lambda: (1, 1))
    for _ in range(2000):
        around(Batch(torch.zeros(1), torch.zeros(1)))
    assert len(told) * 0.05 <= 0.0101 * clock[0] + 0.05
    assert len(told) >= 3


@pytest.mark.slow
def test_watching_changes_nothing_that_is_trained(often: None, train_run: Train) -> None:
    dropout = {"hidden": [16, 8], "dropout": 0.2}
    plain = train_run({**WATCHED, "model": dropout, "training": {"epochs": 2}})
    seen = train_run({**WATCHED, "model": dropout})
    assert not plain.told(LayersSampled)
    assert len(seen.told(LayersSampled)) == seen.told(EpochFinished)[-1].step
    for key, weight in plain.weights().items():
        assert torch.equal(weight, seen.weights()[key])


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["momentum", "nadam"])
@pytest.mark.parametrize("clip_norm", [0.0, 1e3])
def test_the_scale_of_the_loss_is_left_out(
    often: None, train_run: Train, optimizer: str, clip_norm: float
) -> None:
    first = []
    for precision in ("fp32", "fp16"):
        settings = {"epochs": 1, "watch_layers": True, "precision": precision, "clip_norm": clip_norm}
        trained = train_run({"data": "iris", "model": "mlp", "optimizer": optimizer, "training": settings})
        assert not trained.told(Notice)
        first.append(trained.told(LayersSampled)[0])
    assert first[1].gradients == pytest.approx(first[0].gradients, rel=0.05)


def test_samples_are_in_the_log_and_the_history(often: None, train_run: Train) -> None:
    trained = train_run(WATCHED)
    history = History()
    for event in all_events(trained.run.log_file):
        history.apply(event)
    sample = trained.told(LayersSampled)[-1]
    assert history.layers == sample
    assert sample.names == ["1", "3", "5"]
    assert sample.dead[-1] is None
    assert history.unfit == 0


def test_what_is_not_finite_is_null_in_the_log() -> None:
    sample = LayersSampled(
        epoch=1,
        step=2,
        names=["a"],
        kinds=["Linear"],
        weights=[1.0],
        gradients=[math.inf],
        updates=[0.1],
        dead=[None],
    )
    read = from_json(to_json(sample, "run"))
    assert isinstance(read, LayersSampled)
    assert read.gradients == [None]


def test_a_run_can_be_asked_from_outside(often: None, train_run: Train) -> None:
    """A screen that follows it through its log does so."""
    asked: list[int] = []

    def ask(event: Any, control: Any) -> None:
        if isinstance(event, EpochFinished) and not asked:
            asked.append(event.step)
            control.watch_layers()

    trained = train_run({**WATCHED, "training": {"epochs": 2}}, on_event=ask)
    samples = trained.told(LayersSampled)
    assert [sample.step for sample in samples][:2] == [asked[0] + 2, asked[0] + 3], (
        "from the batch after the next"
    )
    assert samples[0].epoch == 2


@pytest.mark.parametrize("request_", get_args(Request))
def test_every_request_reaches_the_loop(request_: Request) -> None:
    worker = TrainingWorker(lambda emit, control: RunFinished(status="completed"))
    worker.control.obey(request_)
    assert worker.control.attention == (request_ != "resume")


def test_lists_of_different_lengths_are_no_sample() -> None:
    line = to_json(
        LayersSampled(
            epoch=1,
            step=2,
            names=["a"],
            kinds=["b"],
            weights=[1.0],
            gradients=[1.0],
            updates=[1.0],
            dead=[None],
        ),
        "run",
    )
    with pytest.raises(RunDamaged, match="different lengths"):
        from_json(line.replace('"dead": [null]', '"dead": []'))
