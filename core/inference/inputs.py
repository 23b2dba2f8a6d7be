"""New samples from a file or a folder, checked against the data a model was trained on."""

import csv
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import Dataset
from core.data.images.file_kinds import ENDINGS
from core.data.images.pictures import read_picture, reason
from core.errors import DataError, InputError
from core.evaluation.values import Array

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.tables.table import Table

__all__ = ["NewSamples", "read_inputs"]

ID = "id"
"""The column of a CSV file that names its rows."""


@dataclass(frozen=True, eq=False)
class NewSamples:
    """Samples without targets.

    Attributes:
        ids: a name for each.
        inputs: (n, *sample_shape).
        notes: what was done to them, such as values filled in; a line each.
    """

    ids: list[str]
    inputs: "Tensor"
    notes: tuple[str, ...] = ()


def read_inputs(path: Path, data: Dataset) -> NewSamples:
    """Read samples: an array, a table, or a folder of pictures.

    - ``.npz`` with an array named ``inputs``, or ``.npy``: (n, *sample_shape), in the unit of the data; the
      channel of grey pictures may be left out. Ids are row numbers from 0.
    - any other file: CSV with a header, for tables. Columns are found by name if all names are there, else by
      position if their number fits. A column ``id`` gives the ids.
      For a model of a table from a file, such a file: its columns are found by name alone, missing values are filled
      and texts made numbers of as for the training rows.
    - a folder: its pictures, sorted by name, resized to the size the model takes, for models of images.
      Ids are file names.

    Raises:
        InputError: the file cannot be read, or what it holds does not fit `data`.
    """
    import torch

    notes: list[str] = []
    if not path.exists():
        raise InputError(f"{path} is not there", "Give an .npz, .npy or .csv file, or a folder of pictures")
    if path.is_dir():
        ids, array = _pictures(path, data)
    elif path.suffix in (".npz", ".npy"):
        if data.table is not None:
            raise InputError(
                f"{path} holds arrays, but the model takes rows with the columns of {data.table.file}",
                "Give a .csv, .tsv or .parquet file",
            )
        array = _with_sample_shape(_array(path), data, path)
        ids = [str(row) for row in range(len(array))]
    elif data.table is not None:
        ids, array, notes = _rows(path, data.table)
    else:
        ids, array = _table(path, data)
    if not len(array):
        raise InputError(f"{path} holds no samples", "Give at least one")
    bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if len(bad):
        raise InputError(
            f"{path}: sample {ids[bad[0]]} holds NaN or infinite values", "Leave it out, or fill it"
        )
    kept = array if array.dtype == np.uint8 else array.astype(np.float32)
    return NewSamples(ids, torch.from_numpy(np.ascontiguousarray(kept)), tuple(notes))


def _rows(path: Path, table: "Table") -> tuple[list[str], Array, list[str]]:
    from core.data.tables.new_rows import read_new_rows

    try:
        return read_new_rows(path, table)
    except DataError as error:
        raise InputError(error.message, error.hint) from None


def _array(path: Path) -> Array:
    try:
        loaded: Any = np.load(path, allow_pickle=False)
        if path.suffix == ".npz":
            with loaded:
                if "inputs" not in loaded:
                    raise InputError(
                        f"{path} holds {', '.join(loaded.files) or 'nothing'}, but no array `inputs`",
                        "Write it with numpy.savez(path, inputs=...)",
                    )
                loaded = loaded["inputs"]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as arrays: {error}", "Write it with numpy") from None
    if loaded.dtype.kind not in "fiub":
        raise InputError(f"{path}: inputs are of type {loaded.dtype}, not numbers", "Write them as float32")
    return np.asarray(loaded)


def _with_sample_shape(array: Array, data: Dataset, path: Path) -> Array:
    wanted = data.sample_shape
    if data.kind == "image" and wanted[0] == 1 and array.shape[1:] == wanted[1:]:
        array = array[:, None]
    if array.shape[1:] != wanted or array.ndim != len(wanted) + 1:
        raise InputError(
            f"{path}: inputs have the shape {_shape(array.shape)}",
            f"The model takes n x {_shape(wanted)}, as in {data.name}",
        )
    return array


def _table(path: Path, data: Dataset) -> tuple[list[str], Array]:
    if data.kind != "table":
        raise InputError(
            f"{path} is read as a table, but the model takes images of {_shape(data.sample_shape)}",
            "Give an .npz with an array `inputs`, or a folder of pictures",
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}", "Give a text file with a header") from None
    if not rows:
        raise InputError(f"{path} is empty", "Its first line names the columns")
    header = [name.strip() for name in rows[0]]
    columns = _columns(header, data, path)
    named = next((place for place, name in enumerate(header) if name == ID and place not in columns), None)
    lines = [(line, row) for line, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)]
    ids = [
        row[named] if named is not None and named < len(row) else str(place)
        for place, (_, row) in enumerate(lines)
    ]
    values = [[_number(row, column, header, line, path) for column in columns] for line, row in lines]
    return ids, np.array(values, dtype=np.float64).reshape(len(ids), len(columns))


def _columns(header: list[str], data: Dataset, path: Path) -> list[int]:
    """Return the column of each feature: by name, or else by position."""
    missing = [name for name in data.feature_names if name not in header]
    if not missing:
        return [header.index(name) for name in data.feature_names]
    positions = [position for position, name in enumerate(header) if name != ID]
    if len(positions) == len(data.feature_names):
        return positions
    some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    raise InputError(
        f"{path} has {len(positions)} columns and lacks {some}",
        f"Name the {len(data.feature_names)} features of {data.name} in the first line, or as many columns",
    )


def _number(row: list[str], column: int, header: list[str], line: int, path: Path) -> float:
    text = row[column].strip() if column < len(row) else ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}, line {line}, {header[column]}: got '{text}'", "It takes a finite number")
    return value


def _pictures(folder: Path, data: Dataset) -> tuple[list[str], Array]:
    if data.kind != "image":
        raise InputError(
            f"{folder} is a folder, but the model takes tables of {len(data.feature_names)} features",
            "Give a CSV file with a header",
        )
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if data.sample_shape[0] not in (1, 3):
        raise InputError(
            f"{folder} is a folder of pictures, but the model takes images of {data.sample_shape[0]} channels",
            "Give an .npz with an array `inputs`",
        )
    if not files:
        raise InputError(f"{folder} holds no pictures", f"Pictures end in {', '.join(sorted(ENDINGS))}")
    pictures = np.stack([_picture(file, data) for file in files])
    return [str(file.relative_to(folder)) for file in files], pictures


def _picture(file: Path, data: Dataset) -> Array:
    """One picture as (channels, height, width) in the value range of the data."""
    channels, height, width = data.sample_shape
    try:
        values = read_picture(file, (height, width), grey=channels == 1)
    except Exception as error:  # Pillow raises whatever it trips over in a damaged file
        raise InputError(
            f"{file} cannot be read as a picture: {reason(error)}", "Leave it out, or convert it"
        ) from None
    low, high = data.value_range
    return values if (low, high) == (0, 255) else low + values.astype(np.float32) / 255 * (high - low)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "nothing"
