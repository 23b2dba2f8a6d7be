"""Private parts of PyTorch. Without any of them everything works as well, but takes longer.

Tests named after the functions here fail when a version of PyTorch changes what they use.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules import module as module_module
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm
from torch.optim import SGD, Optimizer
from torch.optim import optimizer as optimizer_module
from torch.utils.data._utils import worker as worker_module

__all__ = [
    "BatchNorm",
    "any_steps",
    "as_the_only_worker",
    "bare_step",
    "check_shape",
    "compile_errors",
    "cross_entropy_gradient",
    "hooks_of",
    "leave_compiler_out",
    "shared_empty",
    "shut_down",
    "storage_holders",
    "writes_into",
]

METHODS = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
"""Wrapped by ``torch._compile._disable_dynamo``, which keeps what it calls in the method's ``__dynamo_disable``."""
HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")
NO_CLASS = -100
"""The target that `cross_entropy` ignores."""
RECURRENT = ("gru", "lstm", "rnn_tanh", "rnn_relu")
OF_SGD = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize")
MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
GLOBAL_MODULE_HOOKS = tuple(f"_global{name}" for name in MODULE_HOOKS)
WEIGHT_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
GLOBAL_HOOKS = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")


def check_shape(layer: BatchNorm, inputs: Tensor) -> None:
    """Check, as the layer itself does before it normalises, that it takes inputs of this shape.

    Raises:
        ValueError: it does not.
    """
    check = getattr(layer, "_check_input_dim", None)
    if check is not None:
        check(inputs)


def leave_compiler_out() -> None:
    """Let the methods of all optimizers call what they wrap.

    When first called they import PyTorch's compiler, to keep it from compiling them. That takes two seconds, and here
    it compiles networks alone, and without being asked to (`training.compile`) nothing.

    A version of PyTorch that wraps them in another way imports the compiler.
    """
    for name in METHODS:
        method = getattr(getattr(Optimizer, name), "__wrapped__", None)
        if method is not None:
            setattr(method, "__dynamo_disable", method)


@contextmanager
def any_steps() -> Iterator[None]:
    """Context manager in which `torch.export` keeps recurrent layers whole, for any number of steps.

    PyTorch finds the shapes of their outputs by going through the steps, which makes their number a constant. A version
    that finds them in another way is left as it is.
    """
    replaced: list[tuple[Any, Any, Any, Any]] = []
    table = getattr(
        torch._decomp, "decomposition_table", {}
    )  # asked where a graph is traced once more, as for ONNX
    for name in RECURRENT:
        operator: Any = getattr(getattr(torch.ops.aten, name, None), "input", None)
        shapes = _lstm_shapes if name == "lstm" else _rnn_shapes
        kernels = getattr(operator, "py_kernels", {})
        for where, key in ((kernels, torch._C.DispatchKey.CompositeImplicitAutograd), (table, operator)):
            if key in where:
                replaced.append((operator, where, key, where[key]))
                where[key] = shapes
                operator._dispatch_cache.clear()
    try:
        yield
    finally:
        for operator, where, key, kernel in replaced:
            where[key] = kernel
            operator._dispatch_cache.clear()


def _rnn_shapes(
    inputs: Tensor,
    hidden: Tensor,
    params: Any,
    has_biases: bool,
    layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor]:
    """Return outputs of the shapes that a recurrent layer's have."""
    width = hidden.shape[2] * (2 if bidirectional else 1)
    return inputs.new_empty((*inputs.shape[:2], width)), torch.empty_like(hidden)


def _lstm_shapes(inputs: Tensor, hidden: Any, *options: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return outputs of the shapes that an LSTM's have."""
    outputs, _ = _rnn_shapes(inputs, hidden[0], *options)
    return outputs, torch.empty_like(hidden[0]), torch.empty_like(hidden[1])


def bare_step(optimizer: Optimizer) -> Callable[[], object]:
    """Return `optimizer.step` without what PyTorch puts around each call, which a small network waits for.

    That is the profiler's record, the look for hooks, and what keeps the compiler out. An optimizer with hooks, or
    one that a version of PyTorch wraps in another way, gives its usual step.
    """
    step: Any = type(optimizer).step
    bare = getattr(step, "__wrapped__", None)
    if not hasattr(step, "hooked") or bare is None or "step" in vars(optimizer) or _has_hooks(optimizer):
        return optimizer.step
    # `torch.optim.optimizer._use_grad_for_differentiable` calls the compiler before and after each step.
    if getattr(getattr(bare, "__code__", None), "co_name", "") == "_use_grad":
        if optimizer.defaults.get("differentiable", True):
            return optimizer.step
        bare = torch.no_grad()(bare.__wrapped__)
    usual = partial(bare, optimizer)
    kernel = getattr(torch, "_fused_sgd_", None)
    if kernel is None or type(optimizer) is not SGD or not all(map(_is_plain, optimizer.param_groups)):
        return usual
    return partial(_sgd_step, optimizer, len(optimizer.param_groups), kernel, usual)


def _is_plain(group: dict[str, Any]) -> bool:
    """Return whether the weights of a group are all on the processor and of one type."""
    kinds = {(weight.device.type, weight.dtype) for weight in group["params"]}
    return bool(group["fused"]) and len(kinds) == 1 and kinds.pop()[0] == "cpu"


def _sgd_step(
    optimizer: SGD, groups: int, kernel: Callable[..., object], usual: Callable[[], object]
) -> None:
    """Take a step of SGD by its fused kernel, for which PyTorch sorts the weights by device and type each time.

    The first step, which makes the velocities, takes the usual way, and so does one whose groups have changed.
    """
    calls = []
    for group in optimizer.param_groups:
        weights = [weight for weight in group["params"] if weight.grad is not None]
        velocities = []
        if group["momentum"]:
            velocities = [optimizer.state[weight].get("momentum_buffer") for weight in weights]
        if (
            any(each is None for each in velocities)
            or not group["fused"]
            or len(optimizer.param_groups) != groups
        ):
            usual()
            return
        calls.append((group, weights, velocities))
    with torch.no_grad():
        for group, weights, velocities in calls:
            if weights:
                settings = {name: group[name] for name in OF_SGD}
                gradients = [weight.grad for weight in weights]
                kernel(weights, gradients, velocities, **settings, is_first_step=False)


def _has_hooks(optimizer: Optimizer) -> bool:
    """Return whether something is to be called before or after each step; True where that cannot be known."""
    of_one = (getattr(optimizer, name, None) for name in HOOKS)
    of_all = (getattr(optimizer_module, name, None) for name in GLOBAL_HOOKS)
    return any(hooks is None or len(hooks) > 0 for hooks in (*of_one, *of_all))


def hooks_of(network: nn.Module) -> list[Sized]:
    """Return where PyTorch keeps the hooks of a network, of its modules and its weights and of all networks.

    There are some where one of these holds something; a version that keeps them elsewhere seems to have some.
    """
    unknown = {0: None}
    found = [getattr(module, name, unknown) for module in network.modules() for name in MODULE_HOOKS]
    found += [getattr(module_module, name, unknown) for name in GLOBAL_MODULE_HOOKS]
    of_weights = [getattr(weight, name, unknown) for weight in network.parameters() for name in WEIGHT_HOOKS]
    return found + [hooks for hooks in of_weights if hooks is not None]


def cross_entropy_gradient(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy of outputs (b, n) and its gradient by them, by the kernels that autograd calls.

    Args:
        targets: classes (b,).
    """
    try:
        shares, classes, backward = _kernels()
    except AttributeError:  # this version calls others
        outputs = outputs.detach().requires_grad_()
        loss = cross_entropy(outputs, targets)
        return loss.detach(), torch.autograd.grad(loss, outputs)[0]
    with torch.no_grad():
        logs = outputs.log_softmax(1)
        loss, weight = classes(logs, targets, None, 1, NO_CLASS)
        gradient = backward(torch.ones_like(loss), logs, targets, None, 1, NO_CLASS, weight)
        return loss, shares(gradient, logs, 1, outputs.dtype)


@cache
def _kernels() -> tuple[Any, Any, Any]:
    """The kernels of `cross_entropy_gradient`.

    Raises:
        AttributeError: there is no such kernel.
    """
    aten = torch.ops.aten
    return (
        aten._log_softmax_backward_data.default,
        aten.nll_loss_forward.default,
        aten.nll_loss_backward.default,
    )


def compile_errors() -> tuple[type[Exception], ...]:
    """Return the errors by which ``torch.compile`` says that it failed, which have no public name.

    Without them a failure keeps the compiler's own words.
    """
    try:
        from torch._dynamo.exc import TorchDynamoException
    except ImportError:
        return ()
    return (TorchDynamoException,)


@contextmanager
def as_the_only_worker() -> Iterator[None]:
    """Context manager in which ``get_worker_info()`` speaks of one worker, who reads all: in a process of a DataLoader
    the data set would give this worker's share alone.

    Where a version of PyTorch keeps it elsewhere nothing changes; a stream is then read by one worker.
    """
    info = getattr(worker_module, "_worker_info", None)
    if info is None:
        yield
        return
    worker_module._worker_info = dataclasses.replace(info, id=0, num_workers=1)
    try:
        yield
    finally:
        worker_module._worker_info = info


def shut_down(batches: object) -> None:
    """End the workers of an iterator of a DataLoader, now.

    PyTorch ends them when the last reference to it is gone, which an error's traceback may hold, or a cycle. Where a
    version of it calls this otherwise, that is when they end.
    """
    end = getattr(batches, "_shutdown_workers", None)
    if end is not None:
        end()


def shared_empty(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return a tensor to be filled that a worker of a DataLoader hands over without a copy; elsewhere any one.

    Where a version of PyTorch makes it otherwise, it is copied when it is handed over.
    """
    made = torch.empty(shape, dtype=dtype)
    share = getattr(made.untyped_storage(), "_new_shared", None)
    if torch.utils.data.get_worker_info() is None or share is None:
        return made
    storage: torch.UntypedStorage = share(made.nbytes, device=made.device)
    return made.set_(storage, 0, made.size(), made.stride())


def storage_holders(tensor: torch.Tensor) -> int | None:
    """Return how many tensors, and other objects, hold the memory of a tensor; None where PyTorch does not say."""
    count = getattr(torch._C, "_storage_Use_Count", None)
    address = getattr(tensor.untyped_storage(), "_cdata", None)
    return None if count is None or address is None else int(count(address))


def writes_into(tensor: Tensor) -> int:
    """Return how often a tensor, or one that shares its memory, has been written into, as autograd counts it.

    A version that does not count gives the same number always.
    """
    return int(getattr(tensor, "_version", 0))
