"""Notes on an error of a step: the batch, and the shapes of tensors where it arose."""

import traceback
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from core.errors import TorchtuiError
from core.user_code.modules import is_users

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["note_batch", "notes_of", "shape_of", "shapes_of"]

OF_A_STEP = "core.training.step"
"""Module whose functions call the network and the loss."""
MAX_NAMED = 4
"""Tensors of the user's function that a message lists."""


def note_batch(error: BaseException, place: str, inputs: Any, targets: "Tensor") -> None:
    """Add to an error the batch in which it arose, and what the user's function, or else the loss, was given.

    Args:
        place: such as ``epoch 2, batch 7``.
    """
    if isinstance(error, TorchtuiError):
        return
    note = f"in {place}: inputs {shapes_of(inputs)}, targets {shape_of(targets)}"
    if tensors := _tensors(error):
        note += f"; there {', '.join(f'{name} {shape_of(tensor)}' for name, tensor in tensors.items())}"
    error.add_note(note)


def notes_of(error: BaseException) -> str:
    """Return what was added to an error, to follow its message; empty if nothing was."""
    return "".join(f", {note}" for note in getattr(error, "__notes__", ()))


def shape_of(tensor: "Tensor") -> str:
    """Return the shape of a tensor with its type: ``64x10 float32``."""
    return f"{'x'.join(map(str, tensor.shape)) or 'single'} {str(tensor.dtype).removeprefix('torch.')}"


def shapes_of(inputs: Any) -> str:
    """Return the shapes of the inputs of a batch: a tensor, a tuple, or a dict of them by name."""
    if isinstance(inputs, dict):
        return ", ".join(f"{name} {shape_of(tensor)}" for name, tensor in inputs.items())
    return ", ".join(map(shape_of, inputs)) if isinstance(inputs, tuple) else shape_of(inputs)


def _tensors(error: BaseException) -> "dict[str, Tensor]":
    """Return the local tensors of the innermost function of the user's, or else the outputs that the loss was given."""
    from torch import Tensor

    frames = [*_frames(error)]
    own = [frame for frame in frames if is_users(frame.f_code.co_filename)]
    if own:
        found = {name: value for name, value in own[-1].f_locals.items() if isinstance(value, Tensor)}
        return dict([*found.items()][:MAX_NAMED])
    for frame in frames:
        outputs = frame.f_locals.get("outputs") if frame.f_globals.get("__name__") == OF_A_STEP else None
        if isinstance(outputs, Tensor):
            return {"outputs": outputs}
    return {}


def _frames(error: BaseException) -> Iterator[FrameType]:
    yield from (frame for frame, _ in traceback.walk_tb(error.__traceback__))
