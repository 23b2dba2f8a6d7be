"""Predict with an exported model: python predict.py INPUT

INPUT is an .npy array, an .npz with an array `inputs` or one for each input, for tables a text file such as .csv,
or for images a picture or a folder of some, as the data the model was trained on. Prints one line a sample: the
answer, and the score of each
class; 0 or 1 for each of several labels; or the outputs, if the network has a training step of its own. Of masks the
most frequent class and the share of each are printed, and masks.npy, the class of each pixel (n, height, width), is
written into the current folder.

Needs numpy, and onnxruntime for model.onnx or torch for model.pt2; for pictures Pillow; nothing else.
"""

import csv
import datetime
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.data.kinds.channels import channels_first
from core.data.tables.files.text_rows import find_separator, split_lines
from core.data.tables.files.text_table import find_table
from core.data.tables.values.dates import moment, order_of
from core.data.tables.values.missing import ABSENT_WORDS, is_missing, missing_numbers, missing_texts
from core.data.tables.values.numbers import duration, number
from core.data.text.words import FIRST_ID, PADDING_ID, text_ids

ROWS_AT_ONCE = 1024
INPUT_NAMES = ("inputs", "x", "x_test", "images", "test_images", "features", "data", "arr_0")
PICTURES = {
    *(
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".jp2",
        ".j2k",
        ".bmp",
        ".dib",
        ".gif",
        ".webp",
        ".avif",
    ),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".pcx"),
}
DAY_MILLISECONDS = 86_400_000
MIN_READ = 0.5
"""Part of a column's values that must be numbers or dates; the others count as missing."""
USUAL = {"separator": "auto", "encoding": "utf-8", "header": True}
"""How a table is written, for a model whose training read none from a text file."""


def load(path: Path) -> tuple[dict[str, Any], Callable[..., np.ndarray]]:
    """Return the facts of a model, and the function from its inputs (n, ...), in order, to scores or numbers."""
    if path.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised, and need not be printed as well
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        facts = json.loads(session.get_modelmeta().custom_metadata_map["torchtui"])
        names = [each.name for each in session.get_inputs()]
        return facts, lambda *inputs: np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])
    import torch

    extra = {"torchtui.json": ""}
    model = torch.export.load(str(path), extra_files=extra).module()

    def run(*inputs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores: np.ndarray = model(*map(torch.from_numpy, inputs)).numpy()
        return scores

    return json.loads(extra["torchtui.json"]), run


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


def read_rows(path: Path, layout: dict[str, Any]) -> list[dict[str, str]]:
    """The rows of a text file, by the names that the training gave its columns. Empty ones are left out."""
    text = text_of(path, layout)
    separator = layout["separator"]
    if separator == "auto":
        separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else find_separator(text)[0]
    table = find_table(split_lines(text, separator), layout["header"])
    if not table.rows:
        sys.exit(f"{path} has no rows")
    for line, row in table.rows:
        if len(row) != len(table.names):
            sys.exit(f"{path}, line {line}: {len(row)} fields, expected {len(table.names)}")
    return [dict(zip(table.names, row, strict=True)) for _, row in table.rows]


def text_of(path: Path, layout: dict[str, Any]) -> str:
    """The text of a file."""
    content = path.read_bytes()
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if marked else "utf-8")
    except UnicodeDecodeError:
        return content.decode("utf-8" if layout["encoding"] == "auto" else layout["encoding"])


def plain(row: dict[str, str], features: list[str]) -> list[float]:
    """The numbers of a row in the order of the model's features."""
    missing = [name for name in features if name not in row]
    if missing:
        sys.exit(f"the table has no column {missing[0]!r}")
    return [float(row[name]) for name in features]


def encode(rows: list[dict[str, str]], table: dict[str, Any], path: Path) -> np.ndarray:
    """The features of rows, made as they were learnt from the training rows; float64 (n, features)."""
    marks, numbers = missing_texts(table["missing"]), set(missing_numbers(table["missing"]))
    features: list[list[float]] = []
    for column in table["columns"]:
        if column["name"] not in rows[0]:
            sys.exit(f"the table has no column {column['name']!r}")
        texts = [row[column["name"]].strip() for row in rows]
        given = [None if is_missing(text, marks) else text for text in texts]
        if column["kind"] == "text":
            known = set(column["texts"])
            features += [[float(text == each) for text in given] for each in column["texts"]]
            if column["others"]:
                features.append([float(text is not None and text not in known) for text in given])
            if column["missing"]:
                features.append([float(text is None) for text in given])
            continue
        values = parsed(given, column, path)
        if column["kind"] == "number":
            features.append(
                [scaled(None if value in numbers else value, column["scale"]) for value in values]
            )
        else:
            for part, scale in column["parts"].items():
                features.append(
                    [scaled(None if day is None else part_of(day, part), scale) for day in values]
                )
    return np.array(features, dtype=np.float64).T


def parsed(texts: list[str | None], column: dict[str, Any], path: Path) -> list[float | None]:
    """Numbers, or days since 1970; a few texts that are neither count as missing, and are named."""

    def value(text: str | None) -> float | None:
        if text is None:
            return None
        if column["kind"] == "date":
            return moment(text, order_of(column["format"]))
        if column["format"] == "time":
            return duration(text)
        return number(text, column["format"] or ".", column.get("unit", ""), column.get("scaled", False))

    values = [value(text) for text in texts]
    odd = Counter(text for text, read in zip(texts, values, strict=True) if text is not None and read is None)
    if odd:
        shown = ", ".join(repr(text) for text in list(odd)[:4])
        known = sum(text is not None for text in texts)
        bad = sum(count for text, count in odd.items() if text.lower() not in ABSENT_WORDS)
        if bad > (1 - MIN_READ) * known or odd.total() == known:
            sys.exit(f"{path}: column {column['name']!r} holds {shown}, which the model does not take")
        print(f"{column['name']}: {odd.total()} values count as missing: {shown}", file=sys.stderr)
    return values


def scaled(value: float | None, scale: dict[str, Any]) -> float:
    """A number clipped, without the training rows' mean and deviation; their median stands for a missing one."""
    filled: float = scale["fill"] if value is None else value
    if scale.get("low") is not None:
        filled = min(max(filled, scale["low"]), scale["high"])
    made: float = (filled - scale["mean"]) / scale["std"]
    return made


def part_of(days: float, part: str) -> float:
    """Days since 1970, month, weekday from 1 for Monday, or hour."""
    if part == "days":
        return days
    date = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=round(days * DAY_MILLISECONDS))
    return float({"month": date.month, "weekday": date.isoweekday(), "hour": date.hour}[part])


def output_columns(outputs: np.ndarray, targets: list[str]) -> list[str]:
    """Return the names of the columns for outputs (n, ...) without classes: of several numbers those of the targets."""
    if outputs.ndim == 1:
        return ["prediction"]
    return targets or [f"output_{place}" for place in range(outputs[0].size)]


def files_of(path: Path, facts: dict[str, Any]) -> list[Path]:
    """The files of a folder that hold a sample each; none for a single file."""
    if not path.is_dir():
        return []
    if facts["reads"] == "texts" and facts["table"] is None:
        return text_files(path)
    return picture_files(path) if facts["reads"] == "pictures" else []


def best_of(scores: list[float], positive_from: float | None) -> int:
    """Return the place of the highest score; of two equal ones the second, which is the positive class.

    Args:
        positive_from: the score from which on the positive class is the answer, where a threshold was chosen.
    """
    if positive_from is not None:
        return int(scores[1] >= positive_from)
    if len(scores) == 2:
        return int(scores[1] >= scores[0])
    return int(np.argmax(scores))


def main() -> None:
    """Read, predict, print."""
    here = Path(__file__).parent
    models = [path for path in (here / "model.onnx", here / "model.pt2") if path.is_file()]
    if len(sys.argv) != 2 or not models:
        sys.exit(__doc__)
    facts, run = load(models[0])
    names = facts["class_names"]
    path = Path(sys.argv[1])
    try:
        files = files_of(path, facts)
        inputs = read(path, facts)
    except (OSError, EOFError, LookupError, ValueError, csv.Error) as error:
        sys.exit(f"{path} cannot be read: {error}")
    out = csv.writer(sys.stdout, lineterminator="\n")
    thresholds = facts.get("thresholds")
    positive_from = facts.get("positive_from")
    first = [f"predicted_{name}" for name in names] if thresholds else ["class"]
    head = (
        [*first, *(f"{'share' if facts.get('places') else 'score'}_{name}" for name in names)]
        if names
        else output_columns(run(*(each[:1] for each in inputs)), facts["target_names"])
    )
    out.writerow(["file", *head] if files else head)
    if facts.get("places"):
        pictures = inputs[0]
        masks = np.concatenate([run(pictures[at : at + 1]).argmax(axis=1) for at in range(len(pictures))])
        np.save("masks.npy", masks.astype(np.uint8))
        for place, mask in enumerate(masks):
            shares = (np.bincount(mask.ravel(), minlength=len(names)) / mask.size).tolist()
            row = [names[int(np.argmax(shares))], *shares]
            out.writerow([files[place].relative_to(path), *row] if files else row)
        return
    least = 0 if facts["sequences"] else facts.get("least", 0)
    for start in range(0, len(inputs[0]), ROWS_AT_ONCE):
        part = shortened([each[start : start + ROWS_AT_ONCE] for each in inputs], least)
        for place, scores in enumerate(run(*part).tolist(), start=start):
            if thresholds:
                row = [
                    *(int(score >= from_here) for score, from_here in zip(scores, thresholds, strict=True)),
                    *scores,
                ]
            else:
                row = [names[best_of(scores, positive_from)], *scores] if names else np.ravel(scores).tolist()
            out.writerow([files[place].relative_to(path), *row] if files else row)


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more: let the interpreter's last flush succeed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
