"""Numbers of fewer bits, channels last and compiled networks: what they change, and what they leave alone."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from core.config import schema as configuration
from core.config.training import Training
from core.data.batches import Batch
from core.devices import ensure_precision, precisions
from core.errors import ConfigError, DependencyError, DeviceError
from core.events import EpochFinished, EvaluationFinished, RunStarted
from core.models.registry import build
from core.session.session import assemble
from core.training.context import TrainingContext
from core.training.forward_pass import forward_function, loss_scaler
from core.training.learner import Learner
from core.training.step import autograd_gradients, step_function

Train = Callable[..., Any]
Load = Callable[..., Any]
CPU = torch.device("cpu")
SMALL = {"data": {"name": "digits", "test": 0.5}, "model": {"name": "cnn", "channels": [4, 6], "hidden": [8]}}


def test_bf16_steps_are_those_of_autocast_by_hand() -> None:
    def network() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))

    inputs, targets = torch.rand(32, 8), torch.arange(32) % 3
    ours, theirs, full = network(), network(), network()
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.5, fused=True) for model in (ours, theirs, full)]
    settings = Training(precision="bf16")
    gradients = autograd_gradients(settings, forward_function(settings, ours, CPU), cross_entropy)
    step = step_function(settings, ours, cross_entropy, optimizers[0], gradients=gradients)
    whole = step_function(Training(), full, cross_entropy, optimizers[2])
    for _ in range(4):
        loss, outputs = step(Batch(inputs, targets))
        assert (loss.dtype, outputs.dtype) == (torch.float32, torch.float32)
        whole(Batch(inputs, targets))
        optimizers[1].zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answers = theirs(inputs)
        cross_entropy(answers.float(), targets).backward()
        optimizers[1].step()
    for one, other, exact in zip(ours.parameters(), theirs.parameters(), full.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.dtype == torch.float32
        assert not torch.equal(one, exact)
        assert torch.allclose(one, exact, atol=0.02)


def test_fp16_keeps_gradients_that_would_vanish_and_skips_steps_that_overflow() -> None:
    """Gradients below 6e-8 are zero in fp16, unless the loss is scaled."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    settings, scaler = Training(precision="fp16"), loss_scaler("fp16", CPU)
    assert scaler is not None

    def step(factor: float) -> float:
        def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return (outputs * factor).mean()

        forward = forward_function(settings, model, CPU)
        gradients = autograd_gradients(settings, forward, loss, scaler=scaler)
        function = step_function(settings, model, loss, optimizer, gradients=gradients, scaler=scaler)
        function(Batch(torch.ones(4, 1), torch.zeros(4, dtype=torch.int64)))
        assert model.weight.grad is not None
        return float(model.weight.grad)

    assert step(2e-8) == pytest.approx(2e-8, rel=1e-2)
    before = model.weight.detach().clone()
    step(1e4)
    assert torch.equal(model.weight, before), "a gradient overflowed: no step"
    assert scaler.get_scale() == 2.0**15
    step(1e-3)
    assert not torch.equal(model.weight, before)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_run_learns_in_half_precision_and_is_evaluated_in_full(precision: str, train_run: Train) -> None:
    training = {"precision": precision, "epochs": 6, "batch_size": 64}
    run = train_run({"data": SMALL["data"], "optimizer": {"name": "adam", "lr": 0.01}, "training": training})
    assert run.finished.status == "completed"
    best = run.told(EpochFinished)[-1].best_metrics
    assert best["accuracy"] > 0.6
    assert run.told(EvaluationFinished)[0].metrics["accuracy"] == pytest.approx(best["accuracy"], abs=0.05)
    assert {weight.dtype for weight in run.weights().values()} == {torch.float32}
    assert ("scaler" in run.checkpoint()) == (precision == "fp16")


def test_each_device_says_what_it_can_compute_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert precisions(CPU) == ("fp32", "bf16", "fp16")
    with pytest.raises(DeviceError, match=r"cpu does not support tf32\. It takes fp32, bf16, fp16"):
        ensure_precision("tf32", CPU)
    gpu = torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert precisions(gpu) == ("fp32", "tf32", "bf16", "fp16")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(DeviceError, match=r"cuda:0 does not support bf16\. It takes fp32, fp16"):
        ensure_precision("bf16", gpu)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda major, minor: major < 14)
    with pytest.raises(DeviceError, match=r"mps does not support bf16\. It takes fp32$"):
        ensure_precision("bf16", torch.device("mps"))


def test_a_run_of_another_device_can_be_evaluated_here(load_data: Load) -> None:
    values = SMALL | {"training": {"device": "cpu", "precision": "tf32"}}
    config, data = configuration.from_dict(values), load_data("digits")
    with pytest.raises(DeviceError):
        assemble(config, data)
    weights = build(config.model, data, seed=0).state_dict()
    assert assemble(config, data, weights).config.training.precision == "tf32"


def test_lbfgs_with_a_scaled_loss_is_refused(load_data: Load) -> None:
    values = {"optimizer": "lbfgs", "training": {"device": "cpu", "precision": "fp16"}}
    with pytest.raises(ConfigError, match="lbfgs cannot work with the scaled loss of fp16"):
        assemble(configuration.from_dict(values), load_data("digits"))


# -- channels last ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_channels_last_trains_the_same_network_laid_out_otherwise(train_run: Train) -> None:
    plain = train_run(SMALL)
    laid_out = train_run(SMALL | {"training": {"channels_last": True}})
    for name, weight in plain.weights("best").items():
        assert torch.allclose(weight, laid_out.weights("best")[name], atol=1e-3)
    last = [run.told(EpochFinished)[-1].train["loss"] for run in (plain, laid_out)]
    assert last[0] == pytest.approx(last[1], rel=1e-3)


def test_with_channels_last_the_network_sees_them_last(load_data: Load) -> None:
    data = load_data("digits")
    config = configuration.from_dict(SMALL | {"training": {"channels_last": True}})
    model = build(config.model, data, seed=0)
    seen: list[torch.Tensor] = []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    Learner(config, data, model, TrainingContext(CPU)).step(
        Batch(torch.rand(4, *data.sample_shape), torch.arange(4))
    )
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    weights = [weight for weight in model.parameters() if weight.dim() == 4]
    assert weights
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def test_samples_without_channels_are_refused(load_data: Load) -> None:
    config = configuration.from_dict(
        {"data": "iris", "model": "mlp", "training": {"channels_last": True, "device": "cpu"}}
    )
    with pytest.raises(ConfigError, match=r"training\.channels_last: samples of shape 4 are not images"):
        assemble(config, load_data("iris"))


# -- compile ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_compiled_network_has_the_same_weights_under_the_same_names(
    train_run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tracing is torch.compile's, the kernels are the usual ones: so the bits must be equal."""
    monkeypatch.setattr("core.training.forward_pass.BACKEND", "eager")
    values: dict[str, Any] = {
        "data": "iris",
        "model": {"hidden": [8]},
        "training": {"epochs": 3, "ema": 0.9, "batch_size": 48},
    }
    plain = train_run(values)
    compiled = train_run(values | {"training": {**values["training"], "compile": True}})
    for kind in ("last", "best"):
        assert list(plain.weights(kind)) == list(compiled.weights(kind))
        for name, weight in plain.weights(kind).items():
            assert torch.equal(weight, compiled.weights(kind)[name])
    assert plain.told(EvaluationFinished)[1].metrics == compiled.told(EvaluationFinished)[1].metrics


@pytest.mark.slow
def test_compiled_runs_resume_bit_for_bit(train_run: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.forward_pass.BACKEND", "eager")
    values = {"data": "iris", "model": {"hidden": [8], "dropout": 0.3}}
    values["training"] = {"epochs": 3, "batch_size": 48, "compile": True}
    undisturbed = train_run(values)

    def stop_at(event: Any, control: Any) -> None:
        if isinstance(event, EpochFinished) and event.epoch == 1:
            control.stop()

    stopped = train_run(values, on_event=stop_at)
    again = train_run(run=stopped.run)
    assert again.told(RunStarted)[0].step > 0
    for name, weight in undisturbed.weights().items():
        assert torch.equal(weight, again.weights()[name])


def test_what_cannot_be_compiled_is_told_in_a_sentence(
    train_run: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(graph: Any, inputs: Any) -> None:
        raise RuntimeError("No working C++ compiler found\nand so on")

    monkeypatch.setattr("core.training.forward_pass.BACKEND", broken)
    finished = train_run({"data": "iris", "model": "mlp", "training": {"compile": True}}).finished
    assert (finished.status, finished.traceback) == ("failed", "")
    assert finished.error.startswith("training.compile: torch.compile failed: ")
    assert "No working C++ compiler found" in finished.error
    assert "\n" not in finished.error


def test_without_a_compiler_nothing_is_begun(load_data: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    config = configuration.from_dict(
        {"data": "iris", "model": "mlp", "training": {"compile": True, "device": "cpu"}}
    )
    with pytest.raises(DependencyError, match=r"training\.compile: no compiler is installed"):
        assemble(config, load_data("iris"))
