"""Numbers that a network's own step returns: the loss, and others to report."""

import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

from torch import Tensor

from core.errors import ModelError
from core.runs.media.kinds import kind_of

__all__ = ["SAMPLES", "Numbers", "loss_of", "numbers_of"]

Numbers = dict[str, Tensor | float]
"""By name; tensors of one element stay on their device, without a gradient."""

SAMPLES = "samples"
"""Key under which `validation_step` returns what is to be looked at: a picture or a text."""
NAME = re.compile(r"[A-Za-z_][\w./@-]{0,39}")
"""Names that fit a field of the configuration, a chart and a file."""


def loss_of(given: Any, where: str) -> tuple[Tensor, Numbers]:
    """Return the loss to follow, and all numbers, of what a training step returned.

    Args:
        given: the loss, or a dict with ``loss`` and other numbers.
        where: the method, such as ``Net.training_step``, for messages.

    Raises:
        ModelError: there is no loss of one element in it, or something that is not a number.
    """
    returned = given if isinstance(given, Mapping) else {"loss": given}
    loss = returned.get("loss")
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise ModelError(f"{where} returned {_kind(given)}", "It returns the loss, or a dict with loss in it")
    return loss, numbers_of(returned, where)


def numbers_of(given: Any, where: str) -> Numbers:
    """Return the numbers of what a step returned, without samples, images, texts and histograms.

    Raises:
        ModelError: it is neither one number nor a dict of numbers by name, or a name has other characters than letters,
            digits and ``_ . / @ -``.
    """
    returned = given if isinstance(given, Mapping) else {"loss": given}
    numbers = {
        key: _number(value, key, where)
        for key, value in returned.items()
        if key != SAMPLES and kind_of(value) is None
    }
    if not numbers:
        raise ModelError(f"{where} returned no numbers", "It returns a dict of numbers by name")
    return numbers


def _number(value: Any, name: Any, where: str) -> Tensor | float:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ModelError(
            f"{where} reports a number as {name!r}", "Names have letters, digits and _ . / @ - alone"
        )
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return value.detach().reshape(())
    if isinstance(value, Real):
        return float(value)
    raise ModelError(f"{where} returned {_kind(value)} as '{name}'", "It takes one number")


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return f"a dict of {', '.join(map(str, value)) or 'nothing'}"
    return f"an object of type {type(value).__name__}"
