"""The first pass over a data set: the target of each sample, which classes, splits and evaluations need."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from core.arrays import as_array
from core.data.dataset import Progress
from core.data.masks.own_masks import compact
from core.data.sequences import Ragged
from core.data.stream.loader import Workers, read_all
from core.data.stream.memory import give_back_large_blocks
from core.data.stream.reader import Reader, Wanted
from core.data.stream.seeds import FIXED, keeping_generators
from core.data.stream.sources import StreamSource
from core.errors import DataError
from core.machine import available_cores, memory

__all__ = ["all_targets", "batch_size", "bytes_of", "known_targets"]

MAX_BATCH, BATCH_BYTES = 64, 8 << 20
"""Samples that are read at once, and their bytes: fewer of large ones."""
SLOW_SECONDS = 2.0
"""Of all samples, from which on worker processes read them."""
COMPARED = 64
"""Samples, all over a data set, whose targets must be those that it lists."""
LISTS = ("targets", "labels", "_labels")
"""Attributes in which torchvision's data sets, and many others, list the targets of all samples."""
TARGET_SHARE = 0.5
"""Part of the free memory that targets may take."""
SEED = 0


def all_targets(reader: Reader, workers: Workers, progress: Progress) -> np.ndarray:
    """Return the targets of all samples, (n, ...), as the user's code gives them.

    Those that the data set lists itself are taken, if some samples agree with the list. Else each sample is read once.

    Raises:
        TorchtuiError: the user's code fails, or gives no pairs, or more targets than memory has room for.
    """
    looking = reader.converting(_targets_alone)
    source = reader.source
    if isinstance(source, StreamSource):
        return _joined([*_of_a_stream(reader, source, progress)], reader.name)
    total = len(source.dataset)
    if not total:
        return np.empty(0)
    listed = known_targets(looking, total)
    if listed is not None:
        return listed
    give_back_large_blocks()
    began = time.perf_counter()
    inputs, _ = _read(reader, [0])
    size = batch_size(bytes_of(inputs))
    first = list(range(min(size, total)))
    found = [_read(looking, first)]
    seconds = (time.perf_counter() - began) / len(first) * total
    _check_room(found[0].nbytes / len(first) * total, total, reader.name)
    count = workers.count if workers.fixed else available_cores() if seconds > SLOW_SECONDS else 0
    workers.count = count
    rest = (Wanted(FIXED, range(at, min(at + size, total))) for at in range(size, total, size))

    def poll() -> bool:
        progress(f"reading {reader.name}", size * len(found), total)
        return False

    reading = Workers(count, workers.fixed, workers.timeout)
    for targets in read_all(looking, rest, reading, should_stop=poll):
        found.append(targets)
        poll()
    return _joined(found, reader.name)


def known_targets(looking: Reader, total: int) -> np.ndarray | None:
    """Return the targets that a data set lists, or the part of one that it is; None where it lists none that are true.

    Args:
        looking: reads the targets of some samples.
    """
    listed = _listed(looking.source.dataset)
    if (
        listed is None
        or len(listed) != total
        or listed.dtype.kind not in "iufb"
        or looking.collate is not None
    ):
        return None
    some = np.unique(np.random.default_rng(SEED).integers(0, total, COMPARED))
    read = _joined([_read(looking, [place]) for place in some.tolist()], looking.name)  # samples may be large
    return listed if read.shape == listed[some].shape and np.array_equal(read, listed[some]) else None


def _listed(dataset: Any) -> np.ndarray | None:
    try:
        if isinstance(dataset, torch.utils.data.Subset):
            whole = _listed(dataset.dataset)
            return None if whole is None else whole[np.asarray(dataset.indices)]
        values = next((getattr(dataset, name) for name in LISTS if hasattr(dataset, name)), None)
        return None if values is None else as_array(values)
    except Exception:  # an attribute of that name may be anything
        return None


def _of_a_stream(reader: Reader, source: StreamSource, progress: Progress) -> Iterator[np.ndarray]:
    """Yield the targets of a stream until it ends; of the first sample alone, which shows how many to read at once."""
    at, size, sample_bytes = 0, 1, 0

    def sized(inputs: Any, targets: Any) -> np.ndarray:
        nonlocal sample_bytes
        found = _targets_alone(inputs, targets)
        sample_bytes = max(sample_bytes, bytes_of(inputs) // max(1, len(found)))
        return found

    looking = reader.converting(sized)
    while True:
        with keeping_generators():
            found = looking.read_up_to(Wanted(FIXED, range(at, at + size)))
        if found is None:
            return
        yield found
        at += len(found)
        progress(f"reading {looking.name}", at, 0)
        if len(found) < size:
            return
        size = batch_size(sample_bytes)


def _targets_alone(inputs: Any, targets: Any) -> np.ndarray:
    return compact(as_array(targets))


def bytes_of(inputs: Any) -> int:
    """Return the bytes of the inputs of a batch."""
    parts = inputs.values() if isinstance(inputs, Mapping) else [inputs]
    return sum(int(part.nbytes if isinstance(part, Ragged) else as_array(part).nbytes) for part in parts)


def batch_size(sample_bytes: int) -> int:
    """Return how many samples of a size to read at once where any number will do."""
    return max(1, min(MAX_BATCH, BATCH_BYTES // max(1, sample_bytes)))


def _read(reader: Reader, places: list[int]) -> Any:
    with keeping_generators():
        return reader.read(Wanted(FIXED, places))


def _joined(found: list[np.ndarray], name: str) -> np.ndarray:
    if not found:
        return np.empty(0)
    if len({part.shape[1:] for part in found}) > 1:
        one, other = sorted({part.shape[1:] for part in found})[:2]
        raise DataError(
            f"data.path: targets of {name} have the shapes {one} and {other}", "Give all the same shape"
        )
    return np.concatenate(found)


def _check_room(needed: float, total: int, name: str) -> None:
    free = memory().available
    if needed > TARGET_SHARE * free:
        raise DataError(
            f"data.path: the targets of {total:,} samples of {name} take {needed / 2**30:.1f} GiB, "
            f"{free / 2**30:.1f} are free",
            "Return fewer samples, or smaller targets",
        )
