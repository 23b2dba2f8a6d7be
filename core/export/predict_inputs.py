"""The inputs of an exported model, read from files as those of its training were."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from core.data.images.endings import PICTURES
from core.data.kinds.channels import channels_first
from core.data.tables.values.missing import is_missing, missing_texts
from core.data.text.words import FIRST_ID, PADDING_ID, text_ids
from core.export.predict_tables import encode, plain, read_rows, text_of

__all__ = ["files_of", "read", "read_samples", "shape_of", "shortened"]

INPUT_NAMES = ("inputs", "x", "x_test", "images", "test_images", "features", "data", "arr_0")
USUAL = {"separator": "auto", "encoding": "utf-8", "header": True}
"""How a table is written, for a model whose training read none from a text file."""


def read(path: Path, facts: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The inputs of the model, (n, ...) each."""
    if facts["reads"] == "texts":
        return read_texts(path, facts)
    if facts.get("input_types"):
        return read_named(path, facts)
    return (read_samples(path, facts),)


def read_named(path: Path, facts: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Several inputs by name from an .npz, each (n, ...); sequences, whose starts are beside them, padded with 0."""
    archive = np.load(path, allow_pickle=False)
    inputs, lengths = [], []
    for name, kind in zip(facts["inputs"], facts["input_types"], strict=False):
        if name not in archive:
            raise ValueError(f"it holds {', '.join(archive) or 'nothing'}, but no array `{name}`")
        values = np.asarray(archive[name])
        if name in facts["sequences"]:
            offsets = archive[f"{name}_offsets"].astype(np.int64)
            counts = np.diff(offsets)
            longest = steps_of(name, int(counts.max(initial=1)), facts)
            mask = np.arange(longest) < counts[:, None]
            padded = np.zeros((*mask.shape, *values.shape[1:]), values.dtype)
            padded[mask] = values
            values = padded
            lengths.append(counts)
        inputs.append(np.ascontiguousarray(values, dtype=kind))
    return (*inputs, *lengths)


def steps_of(name: str, longest: int, facts: dict[str, Any]) -> int:
    """The length that sequences are filled up to: the longest one, or the length that the graph was made for."""
    fixed = dict(zip(facts["sequences"], facts.get("steps", ()), strict=False)).get(name)
    if fixed is None:
        return max(facts.get("least") or 2, longest)  # graphs for any length take one of 1 for something else
    if longest > fixed:
        raise ValueError(f"`{name}` has a sequence of {longest} steps, and the model takes {fixed} at most")
    return int(fixed)


def read_texts(path: Path, facts: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The ids of texts, int64 (n, length), and the features beside them where the model takes some."""
    table, vocabulary = facts["table"], facts["vocabulary"]
    features = None
    if table is None:
        texts = [text_of(file, facts["documents"]) for file in text_files(path)]
    else:
        rows = read_rows(path, table)
        missing = [name for name in table["texts"] if name not in rows[0]]
        if missing:
            sys.exit(f"the table has no column {missing[0]!r}")
        marks = missing_texts(table["missing"])
        columns = [[row[name].strip() for row in rows] for name in table["texts"]]
        columns = [["" if is_missing(text, marks) else text for text in column] for column in columns]
        texts = ["\n".join(parts) for parts in zip(*columns, strict=True)]
        if table["columns"]:
            features = encode(rows, table, path).astype(np.float32)
    places = {word: at for at, word in enumerate(vocabulary["words"], start=FIRST_ID)}
    ids = np.full((len(texts), vocabulary["length"]), PADDING_ID, dtype=np.int64)
    for row, text in zip(ids, texts, strict=True):
        found = text_ids(text, places if vocabulary["by"] == "word" else None)[: len(row)]
        row[: len(found)] = found
    return (ids,) if features is None else (ids, features)


def shortened(inputs: list[np.ndarray], least: int) -> list[np.ndarray]:
    """Inputs whose texts have as many ids as the longest of them; as they are where the model takes one length."""
    if not least:
        return inputs
    used = np.flatnonzero((inputs[0] != PADDING_ID).any(axis=0))
    longest = int(used[-1]) + 1 if len(used) else 0
    return [np.ascontiguousarray(inputs[0][:, : max(least, longest)]), *inputs[1:]]


def text_files(path: Path) -> list[Path]:
    """A text file, or all in a folder, but for hidden ones, sorted by name."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    if not files:
        sys.exit(f"{path} holds no files")
    return files


def read_samples(path: Path, facts: dict[str, Any]) -> np.ndarray:
    """Samples (n, *sample_shape) of the type that the model takes."""
    wanted = tuple(facts["sample_shape"])

    def as_trained(values: np.ndarray) -> np.ndarray:
        nonlocal wanted
        wanted = shape_of(values, wanted, facts)
        return channels_first(values, wanted) if facts["statistics"] == "channels" else values

    if path.suffix == ".npy":
        values = as_trained(np.load(path, allow_pickle=False))
    elif path.suffix == ".npz":
        values = as_trained(inputs_of(np.load(path, allow_pickle=False)))
    elif facts["reads"] == "pictures":
        values = read_pictures(picture_files(path), facts)
    elif facts["reads"] == "rows" and path.suffix.lower() not in (".parquet", ".xlsx", ".gz", ".zip"):
        table = facts["table"]
        rows = read_rows(path, table or USUAL)
        values = (
            encode(rows, table, path) if table else np.array([plain(row, facts["features"]) for row in rows])
        )
    else:
        sys.exit(f"{path}: takes .npy or .npz, or a text file such as .csv")
    values = np.ascontiguousarray(values, dtype=facts.get("dtype", "float32"))
    if values.shape == wanted:
        values = values[None]
    if values.shape[1:] != wanted:
        sys.exit(f"{path}: samples have the shape {values.shape[1:]}, the model takes {wanted}")
    return values


def shape_of(values: np.ndarray, wanted: tuple[int, ...], facts: dict[str, Any]) -> tuple[int, ...]:
    """The shape of a sample: as in the training, but for signals where the model takes them of another length."""
    shortest = facts.get("shortest_signal", 0)
    if not shortest or values.ndim < 2 or values.shape[-2:] in (wanted, wanted[::-1]):
        return wanted
    (channels, steps), (first, last) = wanted, values.shape[-2:]
    found = last if first == channels else first if last == channels else last if channels == 1 else steps
    if found == steps or found < shortest:
        return wanted
    print(f"signals of {found} steps; those of the training have {steps}", file=sys.stderr)
    return channels, found


def inputs_of(archive: Any) -> np.ndarray:
    """The array of inputs: the only one, or the one that is called so."""
    by_lower = {name.lower(): name for name in archive}
    names = (
        list(archive) if len(by_lower) == 1 else [by_lower[name] for name in INPUT_NAMES if name in by_lower]
    )
    if not names:
        raise ValueError(f"it holds {', '.join(archive) or 'nothing'}, but no array `inputs`")
    return np.asarray(archive[names[0]])


def picture_files(path: Path) -> list[Path]:
    """A picture, or all pictures in a folder, but for hidden ones, sorted by name."""
    if not path.is_dir():
        return [path]
    files = (file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in PICTURES)
    inner = [
        file
        for file in files
        if not any(part.startswith((".", "@", "__")) for part in file.relative_to(path).parts)
    ]
    if not inner:
        sys.exit(f"{path} holds no pictures")
    return sorted(inner)


def read_pictures(files: list[Path], facts: dict[str, Any]) -> np.ndarray:
    """Pictures (n, channels, height, width) in the unit of the data, made as for the training. Needs Pillow."""
    low, high = facts["value_range"]
    pixels = np.stack([read_picture(file, facts) for file in files])
    return pixels if (low, high) == (0, 255) else low + pixels.astype(np.float32) / 255 * (high - low)


def read_picture(file: Path, facts: dict[str, Any]) -> np.ndarray:
    """The first picture of a file (channels, height, width): upright, on white, its middle fitted to the size."""
    from PIL import Image, ImageOps

    channels, height, width = facts["sample_shape"]
    mode = "L" if channels == 1 else "RGB"
    with file.open("rb") as opened, Image.open(opened) as image:
        if image.format == "JPEG":
            image.draft(mode, (width, height))
        picture = ImageOps.exif_transpose(image)
        if picture.mode == "F" or picture.mode.startswith("I"):
            picture = Image.fromarray(as_bytes(file, np.asarray(picture), facts["deep_range"]))
        if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
            layer = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
        values = np.asarray(ImageOps.fit(picture.convert(mode), (width, height), Image.Resampling.BOX))
    return values[None] if channels == 1 else values.transpose(2, 0, 1)


def as_bytes(file: Path, values: np.ndarray, deep_range: list[float] | None) -> np.ndarray:
    """Values of more than 8 bits as uint8, by what became black and white in the training's pictures."""
    if deep_range is None:
        sys.exit(f"{file} has more than 8 bits, unlike the pictures of the training")
    low, high = deep_range
    shares = values.astype(np.float64) - low
    if values.dtype.kind in "iu" and high - low >= 255:
        scaled = np.floor(shares * (256 / (high - low + 1)))
    else:
        scaled = np.rint(shares * (255 / ((high - low) or 1)))
    return scaled.clip(0, 255).astype(np.uint8)


def files_of(path: Path, facts: dict[str, Any]) -> list[Path]:
    """The files of a folder that hold a sample each; none for a single file."""
    if not path.is_dir():
        return []
    if facts["reads"] == "texts" and facts["table"] is None:
        return text_files(path)
    return picture_files(path) if facts["reads"] == "pictures" else []
