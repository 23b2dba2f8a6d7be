"""Summary of a network: its layers with shapes and parameters, and the cost of a forward pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from math import prod

import torch
from torch import nn

from core.data.inputs import InputField, Inputs, zero_inputs
from core.errors import ModelError, TorchtuiError
from core.models.own.calling import call_network
from core.models.own_step import has_forward, has_own_step
from core.user_code.loading import as_user_error

__all__ = ["Layer", "ModelSummary", "condensed", "summarise"]

SAMPLES = 2
"""That a network is tried on: with one, a lost batch dimension would go unnoticed."""


@dataclass(frozen=True)
class Layer:
    """One layer. `output_shape` leaves out the batch."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class ModelSummary:
    """All layers in the order of their use.

    Attributes:
        multiply_adds: of the forward pass of one sample, in linear, convolution and attention layers.
        trainable: how many of the parameters are not frozen.
        has_own_step: true if it trains by its own step, whatever the data's task is; see `core.models.own_step`.
    """

    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int
    trainable: int
    has_own_step: bool = False


def summarise(
    model: nn.Module,
    sample_shape: tuple[int, ...],
    outputs: int,
    *,
    ids: bool = False,
    fields: tuple[InputField, ...] = (),
    places: tuple[int, ...] = (),
) -> ModelSummary:
    """Try `model` on samples of zeros and note what each layer gives.

    A network with its own step may give anything, and have layers that ``forward`` does not use, or no ``forward``:
    their shapes stay empty.

    Args:
        outputs: how many numbers it shall give for one sample.
        ids: samples are int64 ids.
        fields: of samples that consist of several tensors, or of sequences of different lengths.
        places: shape of the places of a sample that each get so many numbers.

    Raises:
        ModelError: it does not take samples of this shape, gives something else, or has nothing to train.
        UserCodeError: it is the user's own, and fails.
    """
    layers: list[Layer] = []
    multiply_adds = 0

    def note(name: str, module: nn.Module, output: object) -> None:
        nonlocal multiply_adds
        first = output[0] if isinstance(output, tuple) and output else output
        shape = tuple(first.shape[1:]) if isinstance(first, torch.Tensor) else ()
        multiply_adds += _multiply_adds(module, shape)
        layers.append(Layer(name, type(module).__name__, shape, _own_parameters(module)))

    hooks = [
        module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
        for name, module in model.named_modules()
        if not isinstance(module, torch.jit.ScriptModule)
        and (not any(module.children()) or _own_parameters(module))
    ]
    was_training = model.training
    zeros = zero_inputs(
        sample_shape, SAMPLES, fields, ids=ids, device=next(model.parameters(), torch.empty(0)).device
    )
    shown = ", ".join(field.label for field in fields) if fields else f"shape {_sizes(sample_shape)}"
    try:
        with _without_traces(model):
            if has_own_step(model):
                _try_if_possible(model.eval(), zeros, shown)
            else:
                _check_output(_try_on(model.eval(), zeros, shown), (outputs, *places))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    layers += _scripted_layers(model)
    weights = list(model.parameters())
    trainable = sum(weight.numel() for weight in weights if weight.requires_grad)
    count = sum(map(torch.numel, weights))
    if has_own_step(model):  # which may use more than `forward` does
        unseen = _layers_with_weights(model, {layer.name for layer in layers})
        layers += unseen
        multiply_adds += sum(layer.parameters for layer in unseen)
    return ModelSummary(tuple(layers), count, multiply_adds, trainable, has_own_step(model))


def _scripted_layers(model: nn.Module) -> list[Layer]:
    """Return the scripted parts of a network as one layer each: they do not let anybody watch them."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule) and not any(
            not outer or name.startswith(f"{outer}.") for outer in found
        ):
            found[name] = module
    return [
        Layer(name or "scripted", type(module).__name__, (), sum(map(torch.numel, module.parameters())))
        for name, module in found.items()
    ]


@contextmanager
def _without_traces(model: nn.Module) -> Iterator[None]:
    """Context manager that takes back which tensors a network keeps in plain attributes: they are those of zeros.

    Such as an activation or a hidden state, whose size another batch may not fit. Layers that are made in the first
    call stay.
    """
    parts = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]
    before = [(vars(module), dict(vars(module))) for module in parts]
    try:
        yield
    finally:
        for names, kept in before:
            for name, value in list(names.items()):
                if value is kept.get(name) or name.startswith("_") or not _holds_tensor(value):
                    continue
                if name in kept:
                    names[name] = kept[name]
                else:
                    del names[name]


def _holds_tensor(value: object) -> bool:
    if isinstance(value, tuple | list):
        return any(isinstance(each, torch.Tensor) for each in value)
    return isinstance(value, torch.Tensor)


def condensed(layers: Sequence[Layer], most: int) -> list[Layer]:
    """Layers taken together by the module that they are in, as deep as `most` lines allow; one each if they fit.

    A group is named by its module, and has the last output shape and all parameters of its layers.
    """
    if len(layers) <= most:
        return list(layers)
    deepest = max(layer.name.count(".") for layer in layers)
    grouped: list[Layer] = []
    for depth in range(1, deepest + 2):
        names = [".".join(layer.name.split(".")[:depth]) for layer in layers]
        groups = groupby(zip(names, layers, strict=True), lambda pair: pair[0])
        candidate = [_together(name, [layer for _, layer in group]) for name, group in groups]
        if grouped and len(candidate) > most:
            break
        grouped = candidate
    return grouped


def _together(name: str, group: Sequence[Layer]) -> Layer:
    if len(group) == 1:
        return group[0]
    inner = name.rpartition(".")[2]
    kind = ".".join(name.split(".")[-2:]) if inner.isdigit() else inner
    return Layer(name, kind, group[-1].output_shape, sum(layer.parameters for layer in group))


def _try_on(model: nn.Module, zeros: Inputs, shown: str) -> object:
    """Return what the network returns for samples; `shown` tells what they are."""
    _ensure_trainable(model)
    try:
        with torch.no_grad():
            return call_network(model, zeros)
    except TorchtuiError:
        raise
    except (
        Exception,
        SystemExit,
    ) as error:  # a network that does not fit fails with whatever its layers raise
        told = as_user_error(error)
        if told is not None:
            told.message = f"{told.message}, for samples of {shown}"
            raise told from None
        first_line = str(error).partition("\n")[0] or type(error).__name__
        raise ModelError(f"the model does not take samples of {shown}: {first_line}") from None


def _try_if_possible(model: nn.Module, zeros: Inputs, shown: str) -> None:
    """Call a network that need not be callable, without a trace in the random state."""
    _ensure_trainable(model)
    if has_forward(model):
        with torch.random.fork_rng(devices=[]), suppress(TorchtuiError):
            _try_on(model, zeros, shown)


def _layers_with_weights(model: nn.Module, seen: set[str]) -> list[Layer]:
    """Return those that have not been seen, without the shapes of their outputs."""
    return [
        Layer(name, type(module).__name__, (), _own_parameters(module))
        for name, module in model.named_modules()
        if name not in seen and any(True for _ in module.parameters(recurse=False))
    ]


def _ensure_trainable(model: nn.Module) -> None:
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ModelError("the model has no parameters to train", "Unfreeze some, or choose another model")


def _check_output(output: object, wanted: tuple[int, ...]) -> None:
    """See that there is one row of numbers a sample, or a map of each."""
    why = "one number per class" if wanted[0] > 1 else "one number per sample"
    hint = f"It should return a tensor of shape (samples, {', '.join(map(str, wanted))}), {why}"
    if not isinstance(output, torch.Tensor):
        raise ModelError(f"the model returns an object of type {type(output).__name__}, not a tensor", hint)
    if output.shape != (SAMPLES, *wanted):
        given = f"{_sizes(tuple(output.shape))} numbers for {SAMPLES} samples"
        raise ModelError(f"the model returns {given}, this data needs {_sizes((SAMPLES, *wanted))}", hint)
    if not output.is_floating_point():
        raise ModelError(f"the model returns {output.dtype}, expected float32", hint)


def _own_parameters(module: nn.Module) -> int:
    """Parameters that no inner layer reports: attention uses those of its output layer itself."""
    inner = isinstance(module, nn.MultiheadAttention)
    return sum(weight.numel() for weight in module.parameters(recurse=inner))


def _multiply_adds(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Count those of one layer with outputs of `shape`: each sums over one row, or one kernel, of the weights."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return prod(shape) * module.weight[0].numel()
    if isinstance(module, nn.RNNBase) and len(shape) == 2:
        return shape[0] * sum(weight.numel() for weight in module.parameters() if weight.dim() == 2)
    if isinstance(module, nn.MultiheadAttention) and len(shape) == 2:
        tokens, width = shape
        return tokens * (4 * width * width + 2 * tokens * width)
    return 0


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "single"
