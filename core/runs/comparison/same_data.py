"""Comparison of the samples of runs, as far as the data sections of their configurations show."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["IDENTITY", "SPLITTING", "data_name", "differing_data"]

IDENTITY = (
    *("path", "part", "images", "layout", "pattern", "target", "inputs", "targets", "arguments", "subset"),
    *("samples", "noise", "seed", "arms", "ignore", "positive", "weight", "ignore_index"),
)
"""Fields that say what the samples and their targets are; others say how they are read, scaled or changed."""
DIVIDING = ("group", "time", "gap", "split")
SPLITTING = ("test", "test_path", "validation", "split_seed", "folds", "fold", *DIVIDING)
"""Fields that say which samples are in which split."""
PATHS = ("path", "test_path", "images", "split")
UNSET = ("", "auto", "later", None)
"""Values of a field that was not set; older runs may lack it."""


def data_name(section: Mapping[str, Any]) -> str:
    """Return what the data of a run is called: its file or folder, or the name of the data set."""
    path = section.get("path")
    called = Path(path).name if isinstance(path, str) else ""
    return called or str(section.get("name", ""))


def differing_data(sections: Sequence[Mapping[str, Any]], split: str) -> str:
    """Return what distinguishes the data of runs; empty if it is the same.

    Args:
        sections: ``data`` of each run's configuration.
        split: whose samples shall be the same.
    """
    names = {str(section["name"]) for section in sections if section.get("name")}
    if len(names) > 1:
        called = {data_name(section) for section in sections if section.get("name")}
        return f"not the same data: {', '.join(sorted(called))}"
    if names and not all(section.get("name") for section in sections):
        return "not every run records its data"
    for field in IDENTITY:
        given = [None if section.get(field) in UNSET else section[field] for section in sections]
        if _differ(field, given):
            what = "data" if field == "path" else f"data.{field}"
            texts = dict.fromkeys("the default" if value is None else str(value) for value in given)
            return f"not the same {what}: {', '.join(texts)}"
    for field in DIVIDING:
        given = [section.get(field) or "" for section in sections]
        if _differ(field, given):
            texts = dict.fromkeys(str(value) or "nothing" for value in given)
            return f"not the same {split} samples: data.{field} is {', '.join(texts)}"
    drawn = [_drawn(section, split) for section in sections]
    fields = dict.fromkeys(field for each in drawn for field in each)
    if any(_differ(field, [each.get(field) for each in drawn]) for field in fields):
        return f"not the same {split} samples"
    return ""


def _drawn(section: Mapping[str, Any], split: str) -> dict[str, Any]:
    """The fields that chose the samples of a split."""
    of_all = ["test", "split_seed"] if section.get("test") else []  # else it has a test set of its own
    test = ["test_path"] if section.get("test_path") else of_all
    held_out = ["folds", "fold"] if section.get("folds") else ["validation"]
    fields = test if split == "test" else [*test, *held_out, "split_seed"]
    return {field: section.get(field) for field in fields}


def _differ(field: str, values: Sequence[Any]) -> bool:
    """Return whether some values are not the same; of paths the shorter may be the end of the longer."""
    if field in PATHS and all(isinstance(value, str) for value in values):
        parts = [Path(os.path.normpath(os.path.expanduser(value))).parts for value in values if value]
        longest = max(parts, key=len, default=())
        return 0 < len(parts) < len(values) or any(longest[-len(each) :] != each for each in parts)
    return any(value != values[0] for value in values)
