"""Samples of several inputs as they are shown: one input as a picture, the others as texts."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.data.inputs import Fields, InputField

__all__ = ["field_channels", "field_picture", "field_texts", "picture_field"]

COLOURS = (1, 3)
"""Channels of a picture that can be shown."""
MIN_SIDE = 4
"""Least height and width of what is shown as a picture."""
MAX_VALUES = 8
"""Values of one input in a text."""


def picture_field(fields: Sequence[InputField]) -> InputField | None:
    """Return the first input that is a picture; None where none is."""
    return next((field for field in fields if _channel_place(field) is not None), None)


def field_picture(inputs: Fields, field: InputField, at: int) -> np.ndarray:
    """Return the picture of a sample, (1 or 3, height, width), in the unit of the data."""
    values = inputs.one(at)[field.name].numpy()
    place = _channel_place(field)
    return values[None] if place == len(field.shape) else np.moveaxis(values, place or 0, 0)


def field_channels(inputs: Fields, at: int) -> list[np.ndarray]:
    """Return the channels of the sequence that a sample consists of, each (time,), in the unit of the data."""
    (values,) = inputs.one(at).values()
    return [*values.reshape(len(values), -1).T.numpy()]


def field_texts(inputs: Fields, fields: Sequence[InputField], at: int) -> list[str]:
    """Return a text for each input of a sample: its values, the first of many, or the range of an array's."""
    sample = inputs.one(at)
    return [_text(sample[field.name]) for field in fields]


def _channel_place(field: InputField) -> int | None:
    """Return the dimension of a picture's channels, behind the last one if there is none; None if it is no picture."""
    shape = field.shape
    if field.is_sequence or not (field.dtype == torch.uint8 or field.dtype.is_floating_point):
        return None
    if len(shape) == 2 and field.dtype == torch.uint8 and min(shape) >= MIN_SIDE:
        return 2
    if len(shape) == 3:
        for place in (0, 2):
            sides = shape[1:] if place == 0 else shape[:2]
            if shape[place] in COLOURS and min(sides) >= MIN_SIDE:
                return place
    return None


def _text(values: Tensor) -> str:
    if values.ndim <= 1:
        numbers = values.reshape(-1)
        some = [_number(value) for value in numbers[:MAX_VALUES].tolist()]
        more = f" … ({len(numbers):,})" if len(numbers) > MAX_VALUES else ""
        return " ".join(some) + more
    shape = "×".join(map(str, values.shape))
    if values.is_complex() or not values.numel():
        return shape
    low, high = (_number(float(end)) for end in (values.min(), values.max()))
    return f"{shape}, {low} … {high}"


def _number(value: complex | float | bool) -> str:
    return str(value) if isinstance(value, bool | int) else f"{value:.4g}"
