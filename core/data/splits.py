"""Seeded splits, stratified for classes, and the statistics that come from train alone."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import Dataset, Split
from core.data.divided import divide_inputs
from core.data.division.at_random import at_random
from core.data.kinds.registry import KindName, kind_of
from core.data.label_splits import divide_labels, fold_of_labels
from core.data.mapped import MappedRows
from core.errors import DataError
from core.tasks.registry import task_for, task_of

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.inputs import Fields
    from core.data.options import ScalingName
    from core.data.stream.rows import StreamedRows

__all__ = ["assemble", "divide", "one_fold"]

ROWS_AT_ONCE = 4096
NUMBERS_AT_ONCE = 2**22
"""In rows of large images: they are computed with as float64, some copies at a time."""
COLUMNS_AT_ONCE = 8
"""At least, of large tables: torch sums up fewer in another order on several threads."""


def divide(
    targets: np.ndarray, share: float, *, task: str, seed: int, field: str, names: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the kept and of the held-out samples, each in ascending order.

    Args:
        targets: (n,) classes or numbers, or (n, labels) zeros and ones; classes and labels are held out in
            equal shares.
        share: part held out, in [0, 1); 0 holds none out.
        field: the configuration field that gave `share`, and `names` of the classes, for the message.

    Raises:
        DataError: the share leaves a class, or a side, without samples.
    """
    if share == 0:
        return np.arange(len(targets)), np.arange(0)
    if task_of(task).several_labels:
        return divide_labels(targets, share, seed, field)
    stratify = task_of(task).strata(targets)
    if names and stratify is not None:
        _refuse_single(np.bincount(stratify, minlength=len(names)), names, field)
    drawn = at_random(len(targets), stratify, share, seed)
    if drawn is not None:
        return drawn
    kept, held_out = _spread(
        targets, share, task, seed, field
    )  # fewer held out than there are classes, or nothing left
    return np.sort(kept), np.sort(held_out)


def _spread(
    targets: np.ndarray, share: float, task: str, seed: int, field: str
) -> tuple[np.ndarray, np.ndarray]:
    """Hold out samples at even distances from all sorted by class, so that large classes come first.

    Each class keeps a sample; small ones may have none that is held out.
    """
    total = len(targets)
    wanted = math.ceil(share * total)
    strata = task_of(task).strata(targets)
    classes, counts = np.unique(strata, return_counts=True) if strata is not None else (targets[:1], [total])
    if min(counts, default=0) < 2 or total - wanted < len(classes):
        raise DataError(
            f"{field}: {share:g} of {total} samples cannot be held out: {len(classes)} classes need two samples each, "
            "one of them for training",
            "Give another share, or more samples",
        )
    order = np.random.default_rng(seed).permutation(total)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    held = order[((np.arange(wanted) + 0.5) * total / wanted).astype(np.int64)]
    kept = np.setdiff1d(order, held)
    if strata is not None:
        lost = np.setdiff1d(strata, strata[kept])
        back = np.array([held[np.flatnonzero(strata[held] == each)[0]] for each in lost], dtype=held.dtype)
        kept, held = np.concatenate([kept, back]), np.setdiff1d(held, back)
    return kept, held


def one_fold(
    targets: np.ndarray, fold: int, folds: int, *, task: str, seed: int, names: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the kept samples and of those of one fold, each in ascending order.

    The folds are about equally large, have equal shares of each class, and together hold every sample once.

    Args:
        targets, names: as for `divide`.
        fold: which one, from 1 to `folds`.

    Raises:
        DataError: the fold does not exist, or a class has fewer samples than there are folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if folds == 1:
        raise DataError("data.folds: got 1, takes at least 2", "0 holds out data.validation instead")
    if fold > folds:
        raise DataError(f"data.fold: got {fold}, there are {folds} folds", f"Give 1 to {folds}")
    if task_of(task).several_labels:
        return fold_of_labels(targets, fold, folds, seed)
    strata = task_of(task).strata(targets)
    counts = np.unique(strata, return_counts=True)[1] if strata is not None else np.array([len(targets)])
    if counts.min() < folds:
        name = names[int(counts.argmin())] if len(names) == len(counts) else ""
        few = f"class {name} has" if name else "a class has" if strata is not None else "there are"
        raise DataError(
            f"data.folds: {few} only {counts.min()} training samples, fewer than {folds} folds",
            "Give fewer folds",
        )
    kind = KFold if strata is None else StratifiedKFold
    parts = list(kind(folds, shuffle=True, random_state=seed).split(targets, strata))
    kept, held_out = parts[fold - 1]
    return kept, held_out


def _refuse_single(counts: np.ndarray, names: Sequence[str], field: str) -> None:
    """Classes with one sample cannot be on both sides."""
    single = [name for name, count in zip(names, counts, strict=True) if count == 1]
    if single:
        more = f" and {len(single) - 3} others" if len(single) > 3 else ""
        raise DataError(
            f"{field}: only one sample of {', '.join(single[:3])}{more} is left, and each class needs at least two",
            f"Add samples, leave such classes out, or set {field} to 0"
            if field != "data.test"
            else "Add samples, or leave such classes out",
        )


def assemble(
    *,
    name: str,
    kind: KindName,
    inputs: "Tensor | MappedRows | StreamedRows | Fields",
    targets: "Tensor",
    parts: dict[str, np.ndarray],
    official_test: Split | None = None,
    class_names: tuple[str, ...] = (),
    task: str = "",
    feature_names: tuple[str, ...] = (),
    value_range: tuple[float, float] = (0.0, 1.0),
    scaling: "ScalingName" = "standardise",
    groups: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    moments: "tuple[Tensor, Tensor] | None" = None,
    notes: tuple[str, ...] = (),
    owned: bool = False,
) -> Dataset:
    """A data set from all its samples and the positions of each split.

    Args:
        inputs: (n, *sample_shape), uint8 or float32, or fields, for which `scaling` is ``none``.
        targets: (n,) int64 classes, or (n, k) float32, or as `task` has them.
        task: by default the one with a class, or numbers, a sample.
        scaling: with ``unit``, `value_range` becomes 0 to 1; with ``none`` nothing changes; else mean and deviation of
            train become 0 and 1.
        groups: (n,) int64 of the samples that stay together.
        weights: (n,) float64, how much each sample counts.
        moments: mean and deviation of each channel over train, where they are known; else they are computed.
        owned: nothing else uses `inputs`: they may be rearranged where they lie, without a second copy.
        parts: positions for ``train``, ``validation`` and, without an official test set, ``test``.
    """
    splits = _splits(inputs, targets, parts, weights, groups, owned=owned)
    train = splits["train"]
    task = task or task_for(len(class_names))
    mean, std = _scale(scaling, train.inputs, kind, value_range, moments)
    target_mean, target_std = task_of(task).scale(train.targets, train.weights)
    return Dataset(
        name=name,
        kind=kind,
        task=task,
        train=train,
        validation=splits["validation"],
        test=official_test or splits["test"],
        class_names=class_names,
        feature_names=feature_names,
        mean=mean,
        std=std,
        target_mean=target_mean,
        target_std=target_std,
        value_range=value_range,
        notes=notes,
    )


def _splits(
    inputs: "Tensor | MappedRows | StreamedRows | Fields",
    targets: "Tensor",
    parts: dict[str, np.ndarray],
    weights: np.ndarray | None,
    groups: np.ndarray | None,
    *,
    owned: bool,
) -> dict[str, Split]:
    """Return the splits by name; see `assemble`."""
    import torch

    divided = divide_inputs(inputs, parts, owned=owned)
    return {
        part: Split(
            divided[part],
            targets[torch.from_numpy(at)],
            at,
            weights=None if weights is None else torch.from_numpy(weights[at]),
            groups=None if groups is None else groups[at],
        )
        for part, at in parts.items()
    }


def _scale(
    scaling: "ScalingName",
    inputs: Any,
    kind: KindName,
    value_range: tuple[float, float],
    moments: "tuple[Tensor, Tensor] | None",
) -> "tuple[Tensor, Tensor]":
    """Return what is taken from inputs, and what they are divided by then; see `assemble`."""
    import torch

    if scaling == "unit":
        low, high = value_range
        return torch.tensor(low), torch.tensor(high - low)
    if scaling == "none":
        return torch.tensor(0.0), torch.tensor(1.0)
    return _statistics(inputs, kind, moments)


def _statistics(
    inputs: "Tensor | MappedRows", kind: KindName, moments: "tuple[Tensor, Tensor] | None"
) -> "tuple[Tensor, Tensor]":
    """Mean and standard deviation over samples, of each part that the kind says.

    A constant part gets deviation 1.
    """
    import torch

    parts = kind_of(kind).statistics
    if parts == "none":
        return torch.tensor(0.0), torch.tensor(1.0)
    if parts == "columns":
        std, mean = _column_moments(inputs)
    elif parts == "channels":
        of_rows = _byte_moments if inputs.dtype == torch.uint8 else _float_moments
        mean, std = moments or of_rows(inputs)
        each = (-1, *[1] * (len(inputs.shape) - 2))
        mean, std = mean.view(each), std.view(each)
    else:
        mean, std = (moments[0] for moments in _float_moments(inputs, whole=True))
    std = torch.where(std > 0, std, torch.ones_like(std))
    return mean.float(), std.float()


def _column_moments(rows: "Tensor | MappedRows") -> "tuple[Tensor, Tensor]":
    """Deviation and mean of each column, of a large table for some columns at a time."""
    import torch

    total, width = rows.shape
    pieces = max(1, width // COLUMNS_AT_ONCE if total * width > NUMBERS_AT_ONCE else 1)
    room = torch.empty(total * -(-width // pieces), dtype=torch.float64)
    found = []
    ends = np.cumsum([0, *(len(part) for part in np.array_split(np.arange(width), pieces))]).tolist()
    for some in map(slice, ends[:-1], ends[1:]):
        exact = room[: total * (some.stop - some.start)].view(total, -1)
        for at in (slice(start, start + ROWS_AT_ONCE) for start in range(0, total, ROWS_AT_ONCE)):
            exact[at] = rows.columns(some, at) if isinstance(rows, MappedRows) else rows[at, some]
        found.append(torch.std_mean(exact, dim=0, correction=0))
    stds, means = zip(*found, strict=True)
    return torch.cat(stds), torch.cat(means)


def _byte_moments(inputs: "Tensor | MappedRows") -> "tuple[Tensor, Tensor]":
    """Mean and deviation of each channel; counts of byte values make this exact and light."""
    import torch

    values = torch.arange(256, dtype=torch.float64)
    counts = torch.zeros(inputs.shape[1], 256, dtype=torch.int64)
    for rows in _pieces(inputs):
        for channel, count in zip(rows.transpose(0, 1).flatten(1), counts, strict=True):
            count += torch.bincount(channel, minlength=256)
    total, weights = counts.sum(dim=1), counts.double()
    mean = (weights @ values) / total
    return mean, ((weights @ values.square()) / total - mean.square()).clamp(min=0).sqrt()


def _float_moments(inputs: "Tensor | MappedRows", *, whole: bool = False) -> "tuple[Tensor, Tensor]":
    """Mean and deviation of each channel, or with `whole` of one that holds all values, in two passes."""
    import torch

    room = torch.empty(0, dtype=torch.float64)

    def pieces() -> "Iterator[Tensor]":
        nonlocal room
        for rows in _pieces(inputs):
            if not len(room):
                room = torch.empty(rows.shape, dtype=torch.float64)
            exact = room[: len(rows)].copy_(rows)  # in one place: memory grows with each piece otherwise
            yield exact.view(len(rows), 1, -1) if whole else exact

    shape = (1, math.prod(inputs.shape[1:])) if whole else inputs.shape[1:]
    total = len(inputs) * math.prod(shape[1:])
    over, each = (0, *range(2, len(shape) + 1)), (-1, *[1] * (len(shape) - 1))
    channels = torch.zeros(shape[0], dtype=torch.float64)
    mean = sum((rows.sum(dim=over) for rows in pieces()), channels) / total
    deviations = (rows.sub_(mean.view(each)).square_() for rows in pieces())
    return mean, (sum((part.sum(dim=over) for part in deviations), channels) / total).sqrt()


def _pieces(inputs: "Tensor | MappedRows") -> "Iterator[Tensor]":
    """Some rows at a time."""
    rows = min(ROWS_AT_ONCE, max(1, NUMBERS_AT_ONCE // max(1, math.prod(inputs.shape[1:]))))
    for start in range(0, len(inputs), rows):
        yield inputs[start : start + rows]
