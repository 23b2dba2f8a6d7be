"""Samples of validation and test that are in train as well, exactly or nearly.

Tables of few different values have equal rows by chance, so what is found is compared with what chance would give.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from core.data.suspicions.columns import Checked

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from core.data.dataset import Dataset, Split

__all__ = ["duplicates", "in_pieces", "near_duplicates", "vectors"]

BYTES_AT_ONCE = 1 << 24
NUMBERS_AT_ONCE = 1 << 20
"""Of images, or of distances between samples, as float64: 8 MiB."""
MAX_AT_ONCE = 200
"""Held-out samples whose neighbours are looked for."""
MAX_BYTES = 1 << 30
"""Of a split whose samples are compared exactly; of larger ones evenly spaced ones are."""
FEWEST, LEAST_SHARE = 3, 0.005
"""Duplicates from which on they are reported, and their share of the held-out samples."""
MANY_VALUES, HARDLY = 20, 0.05
"""Values of a column that tell copies from chance, and the pairs of rows that share one alone, to those of copies."""
NEAR_SHARE = 0.05
"""Part of the held-out samples from which on near duplicates are reported; some are alike in any large table."""
KEPT_TOGETHER = "remove all but one of each, or keep them together with data.group"
MAX_TRAIN, MAX_HELD = 20_000, 1_000
"""Samples among which near duplicates are looked for."""
MAX_WIDTH = 64
"""Numbers of a sample that are compared; of wider ones so many random sums."""
NEIGHBOURS = 6
CHANCE = 5e-4
"""Probability that a sample's nearest neighbour is as near as that of a near duplicate."""
MAX_RATIO = 0.25
INDEPENDENT, RARE = 0.6, 0.02
"""Part of the columns that count as independent, and the number of neighbours as near that chance may give."""
THUMBNAIL = 8
"""Height and width that images are compared in."""


def duplicates(data: "Dataset", columns: Checked) -> tuple[list[str], set[str]]:
    """Report samples of validation and test that are in train, inputs and targets alike.

    Returns:
        A line, or none, and the splits that have some.
    """
    keys = _keys(data)
    known = np.unique(keys["train"])
    found = {
        name: int(np.isin(each, known).sum()) for name, each in keys.items() if name != "train" and len(each)
    }
    total, held = sum(found.values()), sum(len(keys[name]) for name in found)
    if total < max(FEWEST, LEAST_SHARE * held):
        return [], set()
    expected = _by_chance(columns)
    if total <= 3 * expected + 3 * np.sqrt(expected) + 2:
        return [], set()
    counts = " and ".join(
        f"{count:,} of {len(keys[name]):,} samples of {name}" for name, count in found.items() if count
    )
    return [f"exact duplicates across splits: {counts} are in train as well; {KEPT_TOGETHER}"], set(found)


def _by_chance(columns: Checked) -> float:
    """Number of held-out samples that chance would repeat in train, from how frequent their values are.

    Columns depend on each other, so that chance repeats rows far more often than if they did not: as often as if half
    of them did not.
    """
    coded = _coded(columns)
    if not coded.size or _are_copies(coded):
        return 0.0
    held = len(coded) - (len(columns.targets["train"]) if columns.targets is not None else 0)
    logs = np.zeros(held)
    for codes in coded.T:
        logs += np.log(np.bincount(codes)[codes[len(coded) - held :]] / len(coded))
    return float(np.minimum(1, columns.sizes["train"] * np.exp(logs / 2)).sum())


def _coded(columns: Checked) -> np.ndarray:
    """Codes int64 (n, columns and target) of the values of train, then of validation and test."""
    if columns.targets is None or not columns.columns:
        return np.zeros((0, 0), np.int64)
    parts = [columns.targets[name] for name in ("train", "validation", "test") if name in columns.targets]
    both = [np.concatenate([column.train, column.held]) for column in columns.columns if column.is_feature]
    whole = [np.concatenate(parts), *(values for values in both if len(values) == sum(map(len, parts)))]
    codes = [np.unique(values, return_inverse=True, equal_nan=True)[1] for values in whole]
    return np.stack(codes, axis=1).astype(np.int64)


def _are_copies(coded: np.ndarray) -> bool:
    """Return whether rows that share a value of one column share all others, and of another one mostly."""
    whole = _pairs(np.unique(coded, axis=0, return_counts=True)[1])
    values = [np.bincount(codes) for codes in coded.T]
    shared = sorted(_pairs(each) / whole for each in values if len(each) >= MANY_VALUES) if whole else []
    return len(shared) >= 2 and shared[0] <= 1 + HARDLY and shared[1] <= 2


def _pairs(counts: np.ndarray) -> float:
    """Number of pairs of equal things that occur so often."""
    return float((counts * (counts - 1)).sum() / 2)


def _keys(data: "Dataset") -> dict[str, np.ndarray]:
    """A number for each sample, equal where inputs and targets are; blank images have none."""
    if data.raw is not None:
        names = data.raw.common((*data.raw.features, *data.raw.targets))
        return {split: _of_rows(frame.select(names), at) for split, (frame, at) in data.raw.sources.items()}
    return {name: _hashed(split) for name, split in data.splits.items()}


def _of_rows(frame: "pl.DataFrame", at: np.ndarray) -> np.ndarray:
    """A hash of each of some rows of a table."""
    step = max(1, BYTES_AT_ONCE // max(8, 8 * frame.width))
    places = (at[start : start + step] for start in range(0, max(1, len(at)), step))
    return np.concatenate([frame[some].hash_rows(seed=0).to_numpy() for some in places])


def _hashed(split: "Split") -> np.ndarray:
    """A hash of each sample: sums of its words times random odd numbers, in 64 bits."""
    from torch import Tensor

    inputs = split.inputs
    if not len(split) or not hasattr(inputs, "dtype"):
        return np.zeros(0, np.uint64)
    targets = split.targets.numpy().reshape(len(split), -1)
    step = max(1, -(-int(inputs.nbytes) // MAX_BYTES))
    rows = max(1, BYTES_AT_ONCE * len(split) // max(1, int(inputs.nbytes)))
    rng = np.random.default_rng(0)
    factors = np.zeros(0, np.uint64)
    found = []
    for start in range(0, len(split), rows * step):
        part = inputs[start : start + rows * step : step]
        assert isinstance(part, Tensor)
        flat = part.contiguous().numpy().reshape(len(part), -1)
        blank = (flat == flat[:, :1]).all(axis=1) if flat.shape[1] > 1 else np.zeros(len(flat), bool)
        words = _words(flat)
        own = targets[start : start + rows * step : step].astype(np.float64).view(np.uint64)
        if len(factors) != words.shape[1] + own.shape[1]:
            factors = rng.integers(1, 2**63, words.shape[1] + own.shape[1], dtype=np.uint64) * 2 + 1
        with np.errstate(over="ignore"):
            keys = words @ factors[: words.shape[1]] + own @ factors[words.shape[1] :]
        found.append(keys[~blank])
    return np.concatenate(found)


def _words(rows: np.ndarray) -> np.ndarray:
    """The bytes of rows as words of 64 bits, filled up with zeros."""
    taken = np.ascontiguousarray(rows).view(np.uint8)
    spare = -taken.shape[1] % 8
    return (np.pad(taken, ((0, 0), (0, spare))) if spare else taken).view(np.uint64)


def near_duplicates(data: "Dataset", exact: set[str]) -> list[str]:
    """Report samples of validation and test that are nearly the same as one of train.

    The nearest neighbour of a copy is far nearer than the next ones. How near a nearest neighbour may be by chance
    depends on the dimension that the samples spread in, which the distances to the next ones tell.

    Args:
        exact: splits with exact duplicates, which are not counted again.
    """
    rows = vectors(data)
    if rows is None:
        return []
    train, held = rows
    if len(train) < 10 * NEIGHBOURS or len(held) < 2 * FEWEST:
        return []
    distances, nearest = _nearest(train, held)
    is_used = (distances[:, 0] > 0) & (distances[:, 2] > 0)
    used = distances[is_used]
    if 2 * len(used) < len(distances):
        return []
    growth = np.log(used[:, NEIGHBOURS - 1] / used[:, 2]).mean()
    if not growth > 0:
        return []
    dimension = sum(1 / place for place in range(3, NEIGHBOURS)) / growth
    ratio = min(MAX_RATIO, (CHANCE / (NEIGHBOURS - 1)) ** (1 / dimension))
    is_near = used[:, 0] < ratio * used[:, NEIGHBOURS - 1]
    pairs = np.flatnonzero(is_used)[is_near]
    if train.shape[1] < MAX_WIDTH and len(data.sample_shape) == 1:
        pairs = pairs[_rare(train, held[pairs], train[nearest[pairs]])]
    found = len(pairs)
    expected = CHANCE * len(used)
    looked_at = min(1.0, len(train) / len(data.train))
    if (
        found < FEWEST
        or found / looked_at < NEAR_SHARE * len(used)
        or found <= 3 * expected + 3 * np.sqrt(expected) + 2
    ):
        return []
    share = min(1.0, found / looked_at / len(distances))
    some = f"of {len(distances):,} held-out samples, {found:,} have"
    about = f" (about {100 * share:.0f} % of all)" if looked_at < 1 else ""
    return [
        f"near duplicates across splits: {some} a sample in train that is nearly the same{about}; {KEPT_TOGETHER}"
    ]


def vectors(data: "Dataset") -> tuple[np.ndarray, np.ndarray] | None:
    """Some samples of train, and of validation and test, as vectors float64 (n, width); None of other samples."""
    if not hasattr(data.train.inputs, "dtype") or len(data.sample_shape) not in (1, 3) or data.ids:
        return None
    half = MAX_HELD // 2
    parts = {"train": MAX_TRAIN, "validation": half, "test": half}
    found = {name: _standard(data, data.splits[name], most) for name, most in parts.items()}
    train, held = found["train"], np.concatenate([found["validation"], found["test"]])
    if not train.shape[1]:
        return None
    if train.shape[1] > MAX_WIDTH:
        mixing = np.random.default_rng(0).standard_normal((train.shape[1], MAX_WIDTH))
        train, held = train @ mixing, held @ mixing
    return train, held


def _standard(data: "Dataset", split: "Split", most: int) -> np.ndarray:
    """Evenly spaced samples: rows standardised as for training; thumbnails of images, equally bright."""
    import torch

    count = len(split)
    at = np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)
    width = (
        int(np.prod(data.sample_shape))
        if len(data.sample_shape) == 1
        else data.sample_shape[0] * THUMBNAIL**2
    )
    if len(data.sample_shape) == 1 and count:
        rows = (split.inputs[torch.from_numpy(at)].double() - data.mean) / data.std
        return np.asarray(rows.numpy(), np.float64)
    made = np.empty((len(at), width))
    for place, images in in_pieces(split, at):
        small = torch.nn.functional.adaptive_avg_pool2d(images, THUMBNAIL).flatten(1)
        small = small - small.mean(dim=1, keepdim=True)
        deviation = small.std(dim=1, keepdim=True)
        made[place] = (small / torch.where(deviation > 0, deviation, 1.0)).numpy()
    return made


def in_pieces(split: "Split", at: np.ndarray) -> "Iterator[tuple[slice, Tensor]]":
    """Yield the samples at some positions as float64, (m, *sample_shape), some of them at a time, and where they are.

    All at once would be eight times the size of images of bytes.
    """
    import torch

    size = max(1, NUMBERS_AT_ONCE // max(1, math.prod(split.inputs.shape[1:])))
    for start in range(0, len(at), size):
        place = slice(start, min(start + size, len(at)))
        yield place, split.inputs[torch.from_numpy(at[place])].double()


def _rare(train: np.ndarray, held: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Return which vectors (n, width) are nearer to others (n, width), column by column, than chance brings them.

    As columns depend on each other, chance does so as often as if a part of them did not.
    """
    logs = np.zeros(len(held))
    for column in range(train.shape[1]):
        ordered = np.sort(train[:, column])
        middle, reach = held[:, column], np.abs(held[:, column] - nearest[:, column])
        inside = np.searchsorted(ordered, middle + reach, "right") - np.searchsorted(
            ordered, middle - reach, "left"
        )
        logs += np.log(np.maximum(inside, 1) / len(ordered))
    return len(train) * np.exp(INDEPENDENT * logs) < RARE


def _nearest(train: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances, (n, NEIGHBOURS), of held-out vectors to their nearest ones in train, ascending, and the nearest."""
    squares = np.einsum("ij,ij->i", train, train)
    found = np.empty((len(held), NEIGHBOURS))
    first = np.empty(len(held), np.int64)
    light = train.astype(np.float32)
    rows = min(MAX_AT_ONCE, max(1, NUMBERS_AT_ONCE // len(train)))
    for start in range(0, len(held), rows):
        part = held[start : start + rows]
        about = squares - 2 * (part.astype(np.float32) @ light.T)
        nearest = np.argpartition(about, 2 * NEIGHBOURS, axis=1)[:, : 2 * NEIGHBOURS]
        exact = np.linalg.norm(train[nearest] - part[:, None], axis=2)
        found[start : start + rows] = np.sort(exact, axis=1)[:, :NEIGHBOURS]
        first[start : start + rows] = nearest[np.arange(len(nearest)), exact.argmin(axis=1)]
    return found, first
