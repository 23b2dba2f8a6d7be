"""Images and histograms among what W&B logs in a step: values with a type of their own, under the name of the item."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from core.errors import DataError
from core.interop.readers.rows import LogItem
from core.runs.media.histograms import Counts, fitting_counts

__all__ = ["counts_in", "items_of", "typed_values"]

TYPE = "_type"
Typed = dict[str, dict[str, Any]]


def typed_values(values: Mapping[str, Any]) -> tuple[Typed, dict[str, Any]]:
    """Return the values with a type by the name of their item, and all others."""
    flat = dict[str, Any]()
    for name, value in values.items():
        is_typed = isinstance(value, dict) and TYPE in value
        flat |= {f"{name}/{key}": part for key, part in value.items()} if is_typed else {name: value}
    typed: Typed = {name.removesuffix(f"/{TYPE}"): {} for name in flat if name.endswith(f"/{TYPE}")}
    others = dict[str, Any]()
    for name, value in flat.items():
        item, _, key = name.rpartition("/")
        if item in typed:
            typed[item][key] = value
        else:
            others[name] = value
    return typed, others


def items_of(typed: Typed, step: int, time: float, record: int) -> Iterator[LogItem]:
    """Yield the images and histograms of a step.

    Args:
        record: place of the record in the file, for those that are in it.
    """
    for name, value in typed.items():
        match value:
            case {"_type": "image-file", "path": str(path)}:
                yield LogItem("image", name, step, time, _file(path), str(value.get("caption") or ""))
            case {"_type": "images/separated", "filenames": [*paths]}:
                given = value.get("captions")
                captions = (
                    given if isinstance(given, list) and len(given) == len(paths) else [""] * len(paths)
                )
                for path, caption in zip(paths, captions, strict=True):
                    yield LogItem("image", name, step, time, _file(str(path)), str(caption or ""))
            case {"_type": "histogram", "values": [*_], "bins": [*_]}:
                yield LogItem("histogram", name, step, time, f"@{record}")


def counts_in(typed: Typed, name: str) -> Counts:
    """Return the histogram of a name.

    Raises:
        DataError: there is none.
    """
    value = typed.get(name, {})
    try:
        edges, counts = (np.array(value[key], np.float64) for key in ("bins", "values"))
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{name} is not a histogram", "Look at the log with its own tool") from None
    return fitting_counts(edges, counts)


def _file(path: str) -> str:
    """Return the place of a file, as seen from the folder of the run."""
    return (PurePosixPath("files") / path).as_posix()
