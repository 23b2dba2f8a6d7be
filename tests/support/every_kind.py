"""A small data set of every kind of samples with every kind of targets."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.registry import load

__all__ = ["KINDS", "TARGETS", "fields_of", "make"]

KINDS = (
    "table",
    "image",
    "signal",
    "tokens",
    "text",
    "text beside",
    "sequences",
    "token sequences",
    "several",
    "other",
)
"""Of samples, and how they may come: sequences of different lengths, several inputs, a text beside columns."""
TARGETS = ("two classes", "classes", "shares", "labels", "number", "numbers", "pixels")
TASKS = {"shares": "soft", "number": "regression", "numbers": "regression", "labels": "multilabel"}
"""What has to be asked for, as these values could be other targets as well."""
SAMPLES = 24
CLASSES = 3


def make(kind: str, targets: str, folder: Path) -> Dataset:
    """Return samples of a kind with these targets, which follow from the samples; see `fields_of`."""
    return load(configuration.from_dict({"data": fields_of(kind, targets, folder)}).data)


def fields_of(kind: str, targets: str, folder: Path) -> dict[str, Any]:
    """Write a file of such samples, and return the fields of a configuration that name it."""
    drawn = np.random.default_rng(0)
    classes = np.arange(SAMPLES) % (2 if targets == "two classes" else CLASSES)
    answers = answers_of(targets, classes, drawn.normal(0, 0.3, SAMPLES))
    task = TASKS.get(targets, "auto")
    if kind.startswith("text") and targets != "pixels":
        file = folder / f"{kind} {targets}.csv"
        names = _write_texts(file, classes, answers, beside=kind != "text")
        return {"name": "csv", "path": str(file), "text": ["note"], "target": names, "task": task}
    file = folder / f"{kind} {targets}.npz"
    inputs = _inputs(kind, classes, drawn)
    np.savez(file, **inputs, y=answers)  # type: ignore[arg-type]  # none is called allow_pickle
    named = {name for name in inputs if not name.endswith("_offsets")}
    shape = kind if kind in ("table", "signal", "tokens", "other") else "auto"
    fields = {"name": "arrays", "path": str(file), "inputs": ",".join(sorted(named)), "targets": "y"}
    return fields | {"task": task, "shape": shape}


def answers_of(targets: str, classes: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return targets of samples that belong to these classes."""
    match targets:
        case "shares":
            return np.asarray(np.eye(CLASSES)[classes] * 0.7 + 0.1)
        case "labels":
            return np.stack([classes == 0, classes > 0, np.arange(SAMPLES) % 2 == 0], axis=1).astype(np.uint8)
        case "number":
            return np.asarray(classes + 1 + np.abs(noise))
        case "numbers":
            return np.stack([classes + 1 + np.abs(noise), 5 - classes + np.abs(noise)], axis=1)
        case "pixels":
            masks = np.zeros((SAMPLES, 16, 16), dtype=np.uint8)
            masks[:, :8] = classes[:, None, None]
            return masks
        case _:
            return classes


def _inputs(kind: str, classes: np.ndarray, drawn: np.random.Generator) -> dict[str, np.ndarray]:
    """Arrays of samples by name."""
    shapes = {"table": (4,), "image": (16, 16), "signal": (2, 16), "other": (2, 2, 3, 4), "several": (4,)}
    if kind == "tokens" or kind.startswith("text"):
        return {"x": drawn.integers(2 * classes[:, None], 2 * classes[:, None] + 4, (SAMPLES, 6))}
    lengths = 3 + np.arange(SAMPLES) % 4
    if kind == "token sequences":
        ids = drawn.integers(0, 4, lengths.sum()) + 2 * np.repeat(classes, lengths)
        return {"x": ids, "x_offsets": np.cumsum([0, *lengths])}
    if kind == "sequences":
        steps = drawn.normal(np.repeat(classes, lengths)[:, None], 1, (lengths.sum(), 2)).astype(np.float32)
        return {"x": steps, "x_offsets": np.cumsum([0, *lengths])}
    shape = shapes[kind]
    values = drawn.normal(classes.reshape(-1, *[1] * len(shape)), 1, (SAMPLES, *shape)).astype(np.float32)
    if kind == "image":
        return {"x": (values * 20 + 100).clip(0, 255).astype(np.uint8)}
    if kind == "several":
        return {"row": values, "picture": np.repeat(values[:, None], 3, axis=1)}
    return {"x": values}


def _write_texts(path: Path, classes: np.ndarray, answers: np.ndarray, *, beside: bool) -> list[str]:
    """Write a table of texts, and maybe of a number beside each; return the names of the columns of targets."""
    columns = answers if answers.ndim == 2 else answers[:, None]
    names = [f"y{at}" for at in range(columns.shape[1])]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["note", *(["size"] if beside else []), *names])
        for place, (one, values) in enumerate(zip(classes.tolist(), columns.tolist(), strict=True)):
            text = f"the word{one} and text{place % 5} " + "more " * (place % 4)
            rows.writerow([text, *([one + place % 7 / 7] if beside else []), *values])
    return names
