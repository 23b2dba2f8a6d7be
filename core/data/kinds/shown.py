"""Columns of samples that are shown as rows."""

from typing import TYPE_CHECKING

from core.data.kinds.registry import kind_of

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from core.data.inputs import InputField

__all__ = ["shown_columns", "shown_fields", "shown_sequence"]


def shown_fields(data: "Dataset") -> "tuple[InputField, ...]":
    """Return the inputs of samples that are shown each for itself; those made of a table or of texts are not."""
    return data.fields if data.table is None and data.documents is None else ()


def shown_sequence(data: "Dataset") -> "InputField | None":
    """Return the only input of samples, where it is known ids or numbers over time, of different lengths."""
    if len(data.fields) != 1 or not data.fields[0].is_sequence or not shown_fields(data):
        return None
    (field,) = data.fields
    is_signal = field.dtype.is_floating_point and len(field.shape) <= 2
    return field if data.vocabulary is not None or is_signal else None


def shown_columns(data: "Dataset") -> tuple[str, ...]:
    """Return the names of the values that samples are shown with: the columns of a table, the channels of signals."""
    if data.table is not None:
        return data.table.columns
    if shown_fields(data):
        return tuple(field.title for field in data.fields)
    kind = kind_of(data.kind)
    if kind.shown == "text":
        return (kind.name,)
    return data.feature_names or (kind.part_names(data.sample_shape[0]) if kind.shown == "curves" else ())
