"""The private parts of PyTorch that are used are there and do what is expected; without them it takes longer."""

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn, optim
from torch.optim import Optimizer
from torch.optim import optimizer as optimizer_module

from core import torch_private
from core.torch_private import (
    GLOBAL_HOOKS,
    HOOKS,
    METHODS,
    BatchNorm,
    any_steps,
    bare_step,
    check_shape,
    compile_errors,
    cross_entropy_gradient,
    hooks_of,
    leave_compiler_out,
    shared_empty,
    writes_into,
)
from tests.support.repository import REPOSITORY


def weights() -> list[nn.Parameter]:
    """One weight of 1 with a gradient of 1."""
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    return [weight]


# -- canaries: they fail when PyTorch changes what is used -----------------------------------------------------


def test_batch_normalisations_have_one_class_and_check_the_shape() -> None:
    layers = [nn.BatchNorm1d(3), nn.BatchNorm2d(3), nn.BatchNorm3d(3)]
    assert all(isinstance(layer, BatchNorm) and type(layer).forward is BatchNorm.forward for layer in layers)
    check_shape(layers[1], torch.zeros(2, 3, 4, 4))
    with pytest.raises(ValueError, match="4D"):
        check_shape(layers[1], torch.zeros(2, 3))


def test_the_methods_of_optimizers_still_wrap_what_keeps_the_compiler_out() -> None:
    leave_compiler_out()
    for name in METHODS:
        method = getattr(Optimizer, name).__wrapped__
        assert method.__dynamo_disable is method


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_recurrent_layers_are_exported_for_any_number_of_steps(kind: str) -> None:
    network = getattr(nn, kind)(3, 4, batch_first=True, bidirectional=True).eval()
    dim = torch.export.Dim.DYNAMIC
    with any_steps():
        program = torch.export.export(network, (torch.zeros(2, 5, 3),), dynamic_shapes=({0: dim, 1: dim},))
    inputs = torch.arange(42.0).view(2, 7, 3) / 42
    assert torch.allclose(program.module()(inputs)[0], network(inputs)[0], atol=1e-6)


@pytest.mark.parametrize(
    "hook",
    [
        lambda layer: layer.register_forward_hook(print),
        lambda layer: layer.register_forward_pre_hook(print),
        lambda layer: layer.register_full_backward_hook(print),
        lambda layer: layer.register_full_backward_pre_hook(print),
        lambda layer: layer.weight.register_hook(print),
        lambda layer: layer.weight.register_post_accumulate_grad_hook(print),
        lambda layer: nn.modules.module.register_module_forward_hook(print),
    ],
)
def test_all_hooks_of_a_network_are_found(hook: Callable[[nn.Module], Any]) -> None:
    network = nn.Sequential(nn.Linear(1, 1))
    assert not any(hooks_of(network))
    handle = hook(network[0])
    found = any(hooks_of(network))
    handle.remove()
    assert found


def test_the_kernels_of_the_cross_entropy_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs, targets = torch.randn(3, 4), torch.tensor([0, 3, 1])
    by_kernels = cross_entropy_gradient(outputs, targets)
    assert torch_private._kernels()

    def missing() -> None:
        raise AttributeError

    monkeypatch.setattr(torch_private, "_kernels", missing)
    by_autograd = cross_entropy_gradient(outputs, targets)
    assert all(torch.equal(one, other) for one, other in zip(by_kernels, by_autograd, strict=True))


@pytest.mark.slow
def test_training_steps_do_not_import_the_compiler() -> None:
    script = """
import sys, torch
from core.torch_private import bare_step, leave_compiler_out
leave_compiler_out()
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.Adam([weight])
weight.grad = torch.ones(1)
bare_step(optimizer)()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.stdout == "False\n", ran.stderr


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
def test_a_bare_step_has_nothing_around_it(kind: Callable[..., Optimizer]) -> None:
    optimizer = kind(weights(), lr=0.5)
    assert bare_step(optimizer) != optimizer.step
    assert isinstance(bare_step(optimizer), functools.partial)


SETTINGS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"maximize": True},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_steps_of_sgd_are_those_of_pytorch_bit_for_bit(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, calls = torch._fused_sgd_, []

    def counted(*given: Any, **more: Any) -> Any:
        calls.append(sys._getframe(1).f_code.co_name)
        return kernel(*given, **more)

    monkeypatch.setattr(torch, "_fused_sgd_", counted)
    torch.manual_seed(0)
    start = [torch.randn(3, 4), torch.randn(5), torch.randn(2)]
    found = []
    for bare in (False, True):
        given = [nn.Parameter(each.clone()) for each in start]
        groups: list[dict[str, Any]] = [{"params": given[:2]}, {"params": given[2:], "lr": 0.3}]
        optimizer = optim.SGD(groups, lr=0.1, fused=True, **settings)
        step = bare_step(optimizer) if bare else optimizer.step
        for number in range(4):
            optimizer.param_groups[0]["lr"] = 0.1 / (number + 1)
            for place, weight in enumerate(given):
                weight.grad = None if place == 1 and number == 2 else (weight.detach() * (number + 2)).sin()
            step()
        found.append([*given, *(state["momentum_buffer"] for state in optimizer.state.values() if state)])
    assert len(found[0]) == len(found[1])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert "_sgd_step" in calls


def test_the_hooks_of_optimizers_are_where_they_are_looked_for() -> None:
    optimizer = optim.SGD(weights(), lr=0.5)
    assert [len(getattr(optimizer, name)) for name in HOOKS] == [0, 0]
    assert [len(getattr(optimizer_module, name)) for name in GLOBAL_HOOKS] == [0, 0]


def test_a_failure_of_the_compiler_has_a_class_of_its_own() -> None:
    (error,) = compile_errors()
    assert issubclass(error, RuntimeError)


# -- whatever somebody put around a step stays -----------------------------------------------------------------


def test_a_step_that_somebody_wrapped_stays_wrapped() -> None:
    calls = []

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def call(*arguments: Any) -> Any:
            calls.append(arguments)
            return step(*arguments)

        return call

    class Counted(optim.SGD):
        @counted
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    (weight,) = given = weights()
    bare_step(Counted(given, lr=0.5))()
    assert weight.item() == 0.5
    assert len(calls) == 1


@pytest.mark.parametrize("when", ["pre", "post"])
@pytest.mark.parametrize("scope", ["one", "all"])
def test_hooks_are_called(when: str, scope: str) -> None:
    (weight,) = given = weights()
    optimizer, seen = optim.SGD(given, lr=0.5), []
    registrar = optimizer if scope == "one" else optimizer_module
    register = getattr(registrar, f"register_{'' if scope == 'one' else 'optimizer_'}step_{when}_hook")
    handle = register(lambda *called: seen.append(weight.item()))
    try:
        bare_step(optimizer)()
    finally:
        handle.remove()
    assert seen == [1.0 if when == "pre" else 0.5]


def test_a_step_of_one_optimizer_alone_is_taken() -> None:
    optimizer, called = optim.SGD(weights(), lr=0.5), []
    optimizer.step = lambda closure=None: called.append(closure)  # type: ignore[method-assign] # as schedulers do
    bare_step(optimizer)()
    assert called == [None]


def test_a_differentiable_step_keeps_its_graph() -> None:
    weight = nn.Parameter(torch.ones(1))
    moved = weight.clone()
    rate = torch.tensor([0.5], requires_grad=True)
    moved.grad = rate * 2
    bare_step(optim.SGD([moved], lr=1.0, differentiable=True))()
    moved.sum().backward()
    assert rate.grad is not None
    assert rate.grad.item() == -2


# -- without the private parts ---------------------------------------------------------------------------------


def test_without_the_wrapped_methods_optimizers_work_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in METHODS:
        monkeypatch.setattr(Optimizer, name, lambda *given: None)
    leave_compiler_out()
    assert not hasattr(Optimizer.zero_grad, "__dynamo_disable")


@pytest.mark.parametrize("missing", ["hooked", "__wrapped__", HOOKS[0], GLOBAL_HOOKS[1]])
def test_without_a_known_wrapper_the_usual_step_is_made(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(optim.SGD):
        pass

    (weight,) = given = weights()
    optimizer = Own(given, lr=0.5)
    holder: Any = {"_global": optimizer_module, "_optimi": optimizer}.get(missing[:7], Own.step)
    monkeypatch.delattr(holder, missing)
    assert bare_step(optimizer) == optimizer.step
    monkeypatch.undo()
    bare_step(optimizer)()
    assert weight.item() == 0.5


def test_without_its_class_a_failure_of_the_compiler_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch._dynamo.exc", None)
    assert compile_errors() == ()


def test_what_a_worker_fills_is_handed_over_without_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not shared_empty((2, 3), torch.uint8).is_shared()
    monkeypatch.setattr("torch.utils.data.get_worker_info", lambda: object())
    made = shared_empty((2, 3), torch.int32)
    assert made.is_shared()
    assert made.shape == (2, 3)
    assert made.dtype == torch.int32


def test_tensors_count_how_often_they_are_written_into() -> None:
    values = torch.zeros(3)
    values[1:].add_(1)
    assert writes_into(values) == 1
