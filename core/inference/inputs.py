"""New samples from a file or a folder, checked against the data a model was trained on."""

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.counting import counted
from core.data.dataset import Dataset
from core.data.images.file_kinds import ENDINGS, is_image
from core.data.images.folder_tree import scan
from core.data.images.pictures import Picture, read_picture, reason
from core.data.kinds.base import shape_text
from core.data.kinds.registry import kind_of
from core.data.text.token_ids import TokenIds
from core.errors import DataError, InputError
from core.evaluation.values import Array
from core.files.reading import open_regular

if TYPE_CHECKING:
    from torch import Tensor


__all__ = ["NewSamples", "read_inputs"]

INPUT_NAMES = ("inputs", "x", "x_test", "images", "test_images", "features", "data", "arr_0")
ID = "id"
"""The column of a CSV file that names its rows."""


@dataclass(frozen=True, eq=False)
class NewSamples:
    """Samples without targets.

    Attributes:
        ids: a name for each.
        inputs: (n, *sample_shape), or fields where a sample consists of several tensors.
        notes: what was done to them, such as values filled in; a line each.
        kept: columns of the file that name its rows, and are no input of the model.
    """

    ids: list[str]
    inputs: "Tensor | Any"  # Fields of samples of several tensors
    notes: tuple[str, ...] = ()
    kept: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_inputs(path: Path, data: Dataset) -> NewSamples:
    """Read samples: an array, a table, or a folder of pictures.

    - ``.npz`` with an array named ``inputs`` or so, or ``.npy``: (n, *sample_shape), in the unit of the data; the
      channel of grey pictures may be left out, or be the last dimension. Ids are row numbers from 0.
    - any other file: CSV with a header, for tables. Columns are found by name if all names are there, else by
      position if their number fits. A column ``id`` gives the ids.
      For a model of a table from a file, such a file: its columns are found by name alone, missing values are filled
      and texts made numbers of as for the training rows.
    - for a model of several inputs, or of sequences of different lengths: an ``.npz`` with an array for each.
    - a folder, or a picture: its pictures, sorted by name, resized to the size the model takes, for models of images.
      Ids are file names.

    Raises:
        InputError: the file cannot be read, or what it holds does not fit `data`.
    """
    import torch

    notes: list[str] = []
    if data.fields and data.table is None and data.documents is None and path.is_file():
        from core.inference.named_inputs import read_fields

        fields = read_fields(path, data)
        return NewSamples([str(row) for row in range(len(fields))], fields)
    if not path.exists():
        raise InputError(
            f"{path} not found", "Give an .npz, .npy or .csv file, or a folder of pictures or texts"
        )
    if data.documents is not None:
        return _documents(path, data)
    if path.is_dir() or is_image(path.name):
        ids, array, notes = _pictures(path, data)
    elif path.suffix in (".npz", ".npy"):
        if data.table is not None:
            raise InputError(
                f"{path} holds arrays, but the model takes rows with the columns of {data.table.file}",
                "Give a .csv, .tsv or .parquet file",
            )
        array = _with_sample_shape(_array(path), data, path)
        ids = [str(row) for row in range(len(array))]
    elif data.table is not None:
        return _rows(path, data)
    else:
        ids, array = _table(path, data)
    if isinstance(data.vocabulary, TokenIds):
        unknown = data.vocabulary.unknown(array)
        notes += [f"{unknown:,} ids are unknown to the training samples"] if unknown else []
        return NewSamples(ids, torch.from_numpy(data.vocabulary.ids(array)), tuple(notes))
    if not len(array):
        raise InputError(f"{path} holds no samples", "Give at least one")
    bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if len(bad):
        raise InputError(
            f"{path}: sample {ids[bad[0]]} holds NaN or infinite values", "Leave it out, or fill it"
        )
    if data.conditioning is not None:
        kept = data.conditioning.apply(array)
    else:
        kept = array if array.dtype == np.uint8 else array.astype(np.float32)
    return NewSamples(ids, torch.from_numpy(np.ascontiguousarray(kept)), tuple(notes))


def _rows(path: Path, data: Dataset) -> NewSamples:
    """Rows with the columns of the table that the model was trained on."""
    from core.data.tables.new_rows import read_new_rows
    from core.data.text.columns import beside
    from core.data.text.vocabulary import Vocabulary

    assert data.table is not None
    try:
        read = read_new_rows(path, data.table)
    except DataError as error:
        raise InputError(error.message, error.hint) from None
    if not read.ids:
        raise InputError(f"{path} holds no samples", "Give at least one")
    vocabulary = data.vocabulary if isinstance(data.vocabulary, Vocabulary) else None
    inputs = beside(read.features, vocabulary, read.texts)
    return NewSamples(read.ids, inputs, tuple(read.notes), read.kept)


def _documents(path: Path, data: Dataset) -> NewSamples:
    """The texts of a folder, or of one file; ids are file names."""
    import torch

    from core.data.text.documents import read_documents, text_files
    from core.data.text.vocabulary import Vocabulary

    assert data.documents is not None
    assert isinstance(data.vocabulary, Vocabulary)
    folder, files = (path, text_files(path)) if path.is_dir() else (path.parent, [path.name])
    if not files:
        raise InputError(f"{path} holds no text files", "Give a text file, or a folder of some")
    try:
        texts, _, _ = read_documents(folder, files, data.documents.encoding)
    except DataError as error:
        raise InputError(error.message, error.hint) from None
    ids, cut = data.vocabulary.encode(texts)
    notes = (f"{cut:,} texts are cut to their first {data.vocabulary.length:,} tokens",) if cut else ()
    return NewSamples(files, torch.from_numpy(ids), notes)


def _array(path: Path) -> Array:
    try:
        with open_regular(path, follow_links=True) as file:
            loaded: Any = np.load(file, allow_pickle=False)
            if path.suffix == ".npz":
                name = _name_of_inputs(loaded.files)
                if name is None:
                    raise InputError(
                        f"{path} holds {', '.join(loaded.files) or 'nothing'}, but no array `inputs`",
                        "Write it with numpy.savez(path, inputs=...)",
                    )
                loaded = loaded[name]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as arrays: {error}", "Write it with numpy") from None
    if loaded.dtype.kind not in "fiub":
        raise InputError(f"{path}: inputs are of type {loaded.dtype}, not numbers", "Write them as float32")
    return np.asarray(loaded)


def _name_of_inputs(names: Sequence[str]) -> str | None:
    """The array of an archive that holds the inputs: the only one, or the one that is called so."""
    if len(names) == 1:
        return names[0]
    by_lower = {name.lower(): name for name in names}
    return next((by_lower[name] for name in INPUT_NAMES if name in by_lower), None)


def _with_sample_shape(array: Array, data: Dataset, path: Path) -> Array:
    wanted = data.sample_shape
    array = kind_of(data.kind).arranged(array, wanted)
    if array.shape[1:] != wanted or array.ndim != len(wanted) + 1:
        raise InputError(
            f"{path}: inputs have the shape {shape_text(array.shape)}",
            f"The model takes n x {shape_text(wanted)}, as in {data.name}",
        )
    return array


def _table(path: Path, data: Dataset) -> tuple[list[str], Array]:
    kind = kind_of(data.kind)
    if kind.reads != "rows":
        raise InputError(
            f"{path} is read as a table, but the model takes {kind.samples} of {shape_text(data.sample_shape)}",
            f"Give an .npz with an array `inputs`{', or a folder of pictures' * (kind.reads == 'pictures')}",
        )
    try:
        with (
            open_regular(path, follow_links=True) as opened,
            io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file,
        ):
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


def _pictures(path: Path, data: Dataset) -> tuple[list[str], Array, list[str]]:
    """Ids, pixels and notes of the pictures in a folder, or of one file."""
    channels, height, width = _picture_shape(path, data)
    if path.is_dir():
        tree, notes = scan(path)
        names = [file.path for file in tree.images()]
        others = sum(len(node.others) for node in tree.walk())
        skipped = counted(others, "file that is not an image", "files that are not images")
        notes += [f"skipped {skipped}"] if others else []
        folder = path
    else:
        folder, names, notes = path.parent, [path.name], []
    if not names:
        raise InputError(f"{path} holds no pictures", f"Pictures end in {', '.join(sorted(ENDINGS))}")
    pixels = np.empty((len(names), channels, height, width), dtype=np.uint8)
    found: list[Picture] = []
    for place, name in enumerate(names):
        try:
            picture = read_picture(
                folder / name, (height, width), grey=channels == 1, value_range=data.deep_range
            )
        except Exception as error:  # Pillow raises whatever it trips over in a damaged file
            raise InputError(
                f"{folder / name} cannot be read as a picture: {reason(error)}", "Leave it out, or convert it"
            ) from None
        pixels[place] = picture.pixels
        found.append(picture._replace(pixels=pixels[:0]))
    return names, _in_unit(pixels, data), [*notes, *_notes(found, data)]


def _picture_shape(path: Path, data: Dataset) -> tuple[int, ...]:
    kind = kind_of(data.kind)
    if kind.reads != "pictures":
        what = "folder" if path.is_dir() else "picture"
        raise InputError(
            f"{path} is a {what}, but the model takes {kind.samples}: {kind.form(data.sample)}",
            "Give a CSV file with a header"
            if kind.reads == "rows"
            else "Give an .npz with an array `inputs`",
        )
    if data.sample_shape[0] not in (1, 3):
        raise InputError(
            f"{path} holds pictures, but the model takes images of {data.sample_shape[0]} channels",
            "Give an .npz with an array `inputs`",
        )
    return data.sample_shape


def _in_unit(pixels: Array, data: Dataset) -> Array:
    """Pixels from 0 to 255 in the value range of the data."""
    low, high = data.value_range
    return pixels if (low, high) == (0, 255) else low + pixels.astype(np.float32) / 255 * (high - low)


def _notes(found: Sequence[Picture], data: Dataset) -> Iterator[str]:
    """Return how pictures differ from those that the model was trained on, and what was not read."""
    deep = [picture.extremes for picture in found if picture.extremes is not None]
    if deep and data.deep_range is None:
        yield (
            f"{len(deep):,} pictures have more than 8 bits, unlike those the model was trained on: "
            "each is scaled by the bits that it uses"
        )
    elif deep and data.deep_range is not None:
        low, high = data.deep_range
        outside = sum(extremes.low < low or extremes.high > high for extremes in deep)
        if outside:
            yield f"{outside:,} pictures have values outside of {low:g} to {high:g}, which are clipped"
    several = sum(picture.pages > 1 for picture in found)
    if several:
        yield f"{several:,} files hold more than one picture: the first of each is read"
