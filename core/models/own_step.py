"""Networks that define their own training step: the task ``custom``.

    class Net(nn.Module):
        def training_step(self, batch): ...          returns the loss, or a dict with ``loss`` and other numbers
        def validation_step(self, batch): ...        optional: a dict of numbers, maybe with ``samples`` to look at
        def configure_optimizers(self): ...          optional: an optimizer, or a dict, list or tuple of several
        higher_is_better = {"perplexity": False}     optional: directions that names do not tell

A batch is a tuple of inputs and targets, of the shapes, types and device that a network's own loss would get:

    inputs      float32 (b, *sample_shape), scaled as ``data.scaling`` says
    targets     int64 (b,) classes, or float32 (b, 1) numbers in their own unit

With several optimizers the step is ``training_step(batch, optimizers)``, with what `configure_optimizers` returned; it
computes the gradients and moves the weights itself.
"""

import ast
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.errors import ModelError, UserCodeError
from core.user_code.loading import parse
from core.user_code.source import read_source

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["check_signatures", "defines", "directions", "directions_in_source", "has_forward", "has_own_step"]


def has_own_step(model: "Module") -> bool:
    """Return true if the network defines `training_step`."""
    return defines(model, "training_step")


def defines(model: "Module", method: str) -> bool:
    """Return true if the network defines a method of this name."""
    return callable(getattr(model, method, None))


def directions(network: object) -> dict[str, bool]:
    """Return the direction of each number in the `higher_is_better` of a network or its class.

    Of the others less is better if the name speaks of a loss or an error; see `core.metrics.lower_is_better`.

    Raises:
        ModelError: it is not a dict of truth values by name.
    """
    given = getattr(network, "higher_is_better", {})
    if not isinstance(given, Mapping) or not all(isinstance(each, bool) for each in given.values()):
        raise ModelError(
            f"higher_is_better of the network is {given!r}", 'It is a dict, such as {"perplexity": False}'
        )
    return {str(name): higher for name, higher in given.items()}


def directions_in_source(reference: str) -> dict[str, bool]:
    """Return the directions that a class tells, without running its file; empty where its source does not show them.

    Args:
        reference: FILE.py:NAME.
    """
    try:
        file, name = parse(reference)
        source = read_source(file)
        tree = ast.parse(source.files[source.main])
        (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        values = [ast.literal_eval(value) for value in map(_direction, found.body) if value is not None]
    except (UserCodeError, SyntaxError, ValueError):  # no such file or class, or not written out
        return {}
    return {str(name): bool(higher) for value in values[-1:] for name, higher in dict(value).items()}


def _direction(node: ast.stmt) -> ast.expr | None:
    """Return the value that a statement gives to `higher_is_better`; None for any other statement."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    named = any(isinstance(target, ast.Name) and target.id == "higher_is_better" for target in targets)
    return getattr(node, "value", None) if named else None


def has_forward(model: "Module") -> bool:
    """Return true if the network can be called: one with its own step needs no ``forward``."""
    from torch.nn import Module

    return type(model).forward is not Module.forward


def check_signatures(model: "Module", several_optimizers: bool) -> None:
    """Check that the network's own methods take what they are called with.

    Raises:
        ModelError: one of them does not, such as a ``training_step(self, batch, batch_idx)``.
    """
    taken = "batch, optimizers" if several_optimizers else "batch"
    _check(model, "training_step", taken)
    if defines(model, "validation_step"):
        _check(model, "validation_step", "batch")


def _check(model: "Module", method: str, taken: str) -> None:
    function: Any = getattr(model, method)
    signature = inspect.signature(function)
    try:
        signature.bind(*taken.split(", "))
    except TypeError:
        name = f"{type(model).__name__}.{method}"
        raise ModelError(
            f"{name} is defined with the arguments {signature}",
            f"It is called as {method}({taken}): write def {method}(self, {taken})",
        ) from None
