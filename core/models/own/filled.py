"""Arguments of a user's network that the data fills, by the names that people give them."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.data.inputs import InputField

__all__ = ["DOCUMENTED", "FILLED", "facts_of", "shapes_of"]

NAMES: Mapping[str, tuple[str, str]] = {
    "in_features": (
        "in_features input_dim in_dim dim_in d_in n_features input_features",
        "num_features features input_size n_in n_inputs num_inputs",
    ),
    "in_channels": (
        "in_channels in_chans input_channels",
        "channels num_channels n_channels c_in",
    ),
    "num_classes": ("num_classes n_classes num_class n_class num_labels n_labels", "classes"),
    "outputs": (
        "outputs output_dim out_dim dim_out d_out num_outputs n_outputs",
        "out_features output_size n_out",
    ),
    "sample_shape": ("sample_shape input_shape in_shape", ""),
}
"""Fact of the data -> names that mean nothing else, and names that may: these are filled where they have no default."""
DOCUMENTED = tuple(NAMES)
FILLED: Mapping[str, bool] = {
    name: always
    for clear, vague in NAMES.values()
    for names, always in ((clear, True), (vague, False))
    for name in names.split()
}
"""Name -> whether it is filled also where it has a default."""


def facts_of(sample_shape: Any, outputs: int) -> dict[str, Any]:
    """Return the value of each name of `FILLED`; of several inputs no number of features or channels.

    Args:
        sample_shape: (d1, ...) of one tensor, or the shapes of several by name or in order.
    """
    one = isinstance(sample_shape, tuple) and not any(isinstance(size, tuple) for size in sample_shape)
    features = (prod(sample_shape), (*sample_shape, 1)[0]) if one else (None, None)
    facts = zip(NAMES.values(), (*features, outputs, outputs, sample_shape), strict=True)
    return {
        name: value for names, value in facts if value is not None for part in names for name in part.split()
    }


def shapes_of(fields: "tuple[InputField, ...]") -> Any:
    """Return the shapes of several inputs as a dict by name, or as a tuple in order; None for less than two."""
    if len(fields) < 2:
        return None
    if isinstance(fields[0].name, int):
        return tuple(field.shape for field in fields)
    return {field.name: field.shape for field in fields}
