"""A replay gives what would have been computed. The recording itself needs a GPU; here a call stands for it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.config import schema as configuration
from core.data.batches import Batch
from core.data.dataset import Dataset
from core.training import cuda_graphs
from core.training.context import TrainingContext
from core.training.cuda_graphs import WARM_UP, Captured, wants_graphs
from core.training.distributed import SINGLE, Group
from core.training.engine import train

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
SMALL = nn.Linear(4, 3)


def config_with(model: str = "mlp", optimizer: str = "sgd", **training: Any) -> Any:
    model_values = {"name": "python", "path": "net.py:Net"} if model == "python" else {"name": model}
    return configuration.from_dict({"model": model_values, "optimizer": optimizer, "training": training})


@pytest.mark.parametrize(
    ("config", "device", "wanted"),
    [
        (config_with(), CUDA, True),
        (config_with(), CPU, False),
        (config_with(cuda_graphs="off"), CUDA, False),
        (config_with(accumulate=2, cuda_graphs="on"), CUDA, False),
        (config_with(compile=True), CUDA, False),
        (config_with(precision="fp16"), CUDA, False),
        (config_with(precision="bf16"), CUDA, True),
        (config_with(optimizer="lbfgs", cuda_graphs="on"), CUDA, False),
        (config_with("python"), CUDA, False),
        (config_with("python", cuda_graphs="on"), CUDA, True),
    ],
)
def test_which_steps_are_replayed(config: Any, device: torch.device, wanted: bool) -> None:
    assert wants_graphs(config, SMALL, device, SINGLE) is wanted
    assert not wants_graphs(config, SMALL, device, Group(0, 2))


def test_large_networks_are_replayed_on_demand_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_graphs, "SMALL", 14)
    assert not wants_graphs(config_with(), SMALL, CUDA, SINGLE)
    assert wants_graphs(config_with(cuda_graphs="on"), SMALL, CUDA, SINGLE)


class Recorder:
    """Stands for a CUDA graph: what it launches writes to the same tensors each time."""

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, function: Callable[[], None]) -> Callable[[], None]:
        captured: Any = function.__self__  # type: ignore[attr-defined]  # it is a bound method
        weights = captured._weights
        function()
        there = [captured._loss, captured._outputs, *(weight.grad for weight in weights)]

        def replay() -> None:
            self.replays += 1
            for weight in weights:
                weight.grad = None
            function()
            now = [captured._loss, captured._outputs, *(weight.grad for weight in weights)]
            for old, new in zip(there, now, strict=True):
                old.copy_(new)
            captured._loss, captured._outputs = there[:2]

        return replay


def test_replayed_training_gives_the_same_weights(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_data("digits")
    config = configuration.from_dict(
        {
            "model": {"name": "mlp", "hidden": [8]},
            "optimizer": "adam",
            "schedule": "cosine",
            "training": {"epochs": 2, "batch_size": 256, "clip_norm": 0.1, "threads": 1},
        }
    )
    recorder = Recorder()
    results = []
    for replays in (False, True):
        monkeypatch.setattr("core.training.learner.wants_graphs", lambda *_, replays=replays: replays)
        monkeypatch.setattr(cuda_graphs, "_record", recorder)
        torch.manual_seed(0)
        model = config.model.build(data.sample_shape, data.outputs)
        results.append(trained(config, data, model))
    for plain, replayed in zip(*results, strict=True):
        assert torch.equal(plain, replayed)
    full_batches = 2 * (len(data.train) // 256)
    assert recorder.replays == full_batches - WARM_UP


def trained(config: Any, data: Dataset, model: nn.Module) -> list[Tensor]:
    class Nowhere:
        def save(self, state: dict[str, Any], kind: str) -> None: ...

    from core.control import RunControl

    train(
        config,
        data,
        model,
        TrainingContext(CPU),
        emit=lambda event: None,
        control=RunControl(),
        checkpoints=Nowhere(),
    )
    return [weight.detach() for weight in model.parameters()]


def test_what_a_step_returns_stays_when_the_next_one_replays() -> None:
    model = nn.Linear(4, 3)

    def gradients(batch: Batch) -> tuple[Tensor, Tensor]:
        outputs = model(batch.inputs)
        loss = nn.functional.cross_entropy(outputs, batch.targets)
        loss.backward()
        return loss, outputs

    step = Captured(gradients, list(model.parameters()), 8, Recorder())
    seen = []
    for number in range(WARM_UP + 3):
        torch.manual_seed(number)
        inputs, targets = torch.randn(8, 4), torch.randint(3, (8,))
        for weight in model.parameters():
            weight.grad = None
        loss, outputs = step(Batch(inputs, targets))
        seen.append((loss, outputs, copy.deepcopy(loss.detach()), copy.deepcopy(outputs.detach())))
        expected = nn.functional.cross_entropy(model(inputs), targets)
        assert torch.equal(loss, expected)
    for loss, outputs, loss_then, outputs_then in seen:
        assert torch.equal(loss, loss_then)
        assert torch.equal(outputs, outputs_then)
