"""New samples of several inputs, or of sequences of different lengths, from an archive of NumPy."""

import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.data.arrays.structured import fields_like, name_of
from core.data.dataset import Dataset
from core.data.inputs import FieldName, Fields, InputField
from core.data.sequences import OFFSETS, Ragged, ragged_of
from core.errors import DataError, InputError
from core.files.reading import open_regular

__all__ = ["read_fields"]


def read_fields(path: Path, data: Dataset) -> Fields:
    """Read the inputs of a model: of an ``.npz`` the arrays of their names, for tuples ``input_0``, ``input_1``, ...

    Sequences are their steps in one array, and where each starts in another one, whose name ends in ``_offsets``.

    Raises:
        InputError: the file cannot be read, or lacks an input, or has it in another shape or type.
    """
    wanted = ", ".join(_names(field, len(data.fields))[0] for field in data.fields)
    if path.suffix.lower() != ".npz":
        raise InputError(
            f"{path}: the model takes {', '.join(field.label for field in data.fields)}",
            f"Give an .npz with the arrays {wanted}",
        )
    try:
        with open_regular(path, follow_links=True) as file:
            archive: Any = np.load(file, allow_pickle=False)
            arrays: dict[FieldName, Any] = {
                field.name: _array(path, archive, field, len(data.fields), wanted) for field in data.fields
            }
        return fields_like(cast(Fields, data.train.inputs), arrays, str(path))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as arrays: {error}", "Write it with numpy") from None
    except DataError as error:
        raise InputError(error.message, error.hint) from None


def _array(path: Path, archive: Any, field: InputField, count: int, wanted: str) -> "np.ndarray | Ragged":
    name = next((name for name in _names(field, count) if name in archive), None)
    if name is None and count == 1:
        others = [each for each in archive if not each.endswith(OFFSETS)]
        name = others[0] if len(others) == 1 else None
    if name is None:
        raise InputError(
            f"{path} holds {', '.join(archive) or 'nothing'}, but no {name_of(field.name)}",
            f"Give the arrays {wanted}",
        )
    values = np.asarray(archive[name])
    if field.dtype.is_floating_point and values.dtype.kind in "iu":
        values = values.astype(np.float32)
    if not field.is_sequence:
        return values
    if f"{name}{OFFSETS}" not in archive:
        raise InputError(
            f"{path} has no {name}{OFFSETS}, which says where the sequences in {name} start",
            "Save numpy.cumsum([0, *map(len, sequences)]) beside numpy.concatenate(sequences)",
        )
    return ragged_of(values, np.asarray(archive[f"{name}{OFFSETS}"]), f"{path}, {name}")


def _names(field: InputField, count: int) -> tuple[str, ...]:
    """Return what the array of an input may be called."""
    if isinstance(field.name, str):
        return (field.name,)
    return ("inputs", "x") if count == 1 else (f"input_{field.name}", f"arr_{field.name}", str(field.name))
