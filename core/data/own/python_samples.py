"""Results of a user's function as arrays: arrays, tensors or a torch data set, or train and test of these."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import TensorDataset

from core.arrays import as_array
from core.data.arrays.array_samples import Given, Pair
from core.data.dataset import Progress
from core.errors import DataError
from core.machine import memory
from core.user_code.loading import as_user_error, call, parse

__all__ = ["collect"]

TAKEN = (
    "It must return inputs and targets as arrays or tensors, a torch Dataset of such pairs, or train and test sets in "
    "one of these forms"
)
REPORTED_EVERY = 1000
READ_AGAIN = 8
"""First samples that are read twice: a random flip leaves one of two as it is."""
ONCE = (
    "samples differ when they are read twice, as with random augmentation; each was read once, and stays so in every "
    "epoch: data.augment changes images anew in each"
)
SPARE = 0.8
"""Part of the free memory that samples may take."""


def collect(reference: str, arguments: Mapping[str, Any], seed: int, progress: Progress) -> Given:
    """Call the user's function and return its samples.

    The global random numbers of Python, NumPy and PyTorch start at `seed` for it, so that a resumed run finds
    the same data, and are afterwards what they were.

    Raises:
        UserCodeError: the function, or the data set it returned, fails.
        DataError: it returned something else.
    """
    file, name = parse(reference)
    source = f"{file.name}:{name}"
    with _seeded(seed):
        made = call(reference, **arguments)
        train, test = _parts(made, source)
        pairs = [_pair(part, source, progress) for part in (train, test) if part is not None]
        notes = (ONCE,) if _differ_when_read_again(train, pairs[0]) else ()
    classes = getattr(train, "classes", ())
    names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
    test_pair = pairs[1] if len(pairs) == 2 else None
    return Given(pairs[0], test=test_pair, source=source, class_names=names, notes=notes)


def _parts(made: Any, source: str) -> tuple[Any, Any]:
    """Training and test samples; the second None where the function returned one set."""
    if isinstance(made, TorchDataset):
        return made, None
    if isinstance(made, tuple | list) and len(made) == 4:
        return (made[0], made[1]), (made[2], made[3])
    if isinstance(made, tuple | list) and len(made) == 2:
        nested = all(isinstance(part, TorchDataset) or _is_pair(part) for part in made)
        return (made[0], made[1]) if nested else (made, None)
    raise DataError(f"data.path: {source} returned {_kind(made)}", TAKEN)


def _is_pair(part: Any) -> bool:
    return isinstance(part, tuple) and len(part) == 2 and all(hasattr(one, "__array__") for one in part)


def _pair(part: Any, source: str, progress: Progress) -> Pair:
    """Inputs and targets of one set."""
    if isinstance(part, TensorDataset) and len(part.tensors) == 2:
        part = part.tensors
    if isinstance(part, TorchDataset):
        return _read(part, source, progress)
    inputs, targets = (_array(values, source) for values in part)
    return inputs, targets


def _read(samples: Any, source: str, progress: Progress) -> Pair:
    """All samples of a torch data set, one after the other, into one array."""
    if not hasattr(samples, "__len__"):
        raise DataError(f"data.path: {source} returned {_kind(samples)}, which has no length", TAKEN)
    inputs: np.ndarray | None = None
    targets: list[np.ndarray] = []
    try:
        total = len(samples)
        for number in range(total):
            one, target = _input_and_target(samples[number], number, source)
            if inputs is None:
                inputs = _room(total, one, source)
            if one.shape != inputs.shape[1:]:
                one_shape, other = sorted((inputs.shape[1:], one.shape))
                raise DataError(
                    f"data.path: samples of {source} have the shapes {one_shape} and {other}",
                    "Give all the same shape",
                )
            if one.dtype != inputs.dtype:
                inputs = inputs.astype(np.result_type(inputs, one), copy=False)
            inputs[number] = one
            targets.append(target)
            if number % REPORTED_EVERY == 0:
                progress(f"reading {source}", number, total)
    except DataError:
        raise
    except Exception as error:  # the user's own code raises whatever it likes
        raise as_user_error(error) or DataError(
            f"data.path: sample {len(targets)} of {source}: {type(error).__name__}: {error}"
        ) from None
    return (np.empty((0, 1)), np.empty(0)) if inputs is None else (inputs, np.stack(targets))


def _differ_when_read_again(samples: Any, read: Pair) -> bool:
    """Return whether a torch data set gives other samples the second time."""
    if not isinstance(samples, TorchDataset) or isinstance(samples, TensorDataset):
        return False
    inputs = np.asarray(read[0])[:READ_AGAIN]
    try:
        again = [_array(samples[number][0], "") for number in range(len(inputs))]
    except Exception:  # one that can be read only once
        return False
    return not all(
        np.array_equal(one, other, equal_nan=other.dtype.kind == "f")
        for one, other in zip(inputs, again, strict=True)
    )


def _input_and_target(sample: Any, number: int, source: str) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(sample, tuple | list) or len(sample) != 2:
        said = f"sample {number} of {source} is {_kind(sample)}, not input and target"
        raise DataError(f"data.path: {said}", TAKEN)
    for part, name in zip(sample, ("inputs", "targets"), strict=True):
        if isinstance(part, tuple | list) and any(getattr(item, "ndim", 0) for item in part):
            raise DataError(
                f"data.path: sample {number} of {source} has {len(part)} {name}",
                f"One array of {name} a sample is taken: join them, such as with torch.cat",
            )
    return _array(sample[0], source), _array(sample[1], source)


def _room(total: int, sample: np.ndarray, source: str) -> np.ndarray:
    """An array for so many samples.

    Raises:
        DataError: there is no memory for them: splitting takes a second copy.
    """
    needed, free = total * max(sample.nbytes, 1), memory().available
    if 2 * needed > SPARE * free:
        raise DataError(
            f"data.path: {total:,} samples of {source} take {needed / 2**30:.1f} GiB of memory, twice while they are "
            f"split, {free / 2**30:.1f} are free",
            "Return fewer or smaller samples, or bytes (uint8) in place of floats",
        )
    return np.empty((total, *sample.shape), sample.dtype)


def _array(values: Any, source: str) -> np.ndarray:
    """Numbers or texts as an array, wherever they lie."""
    if not _is_finite_array(values):  # NumPy would ask it for one item after the other
        raise DataError(f"data.path: {source} gave {_kind(values)}, which is not an array", TAKEN)
    try:
        array = as_array(values)
    except ValueError as error:
        why = "its parts have different shapes" if "inhomogeneous" in str(error) else str(error)
        raise DataError(
            f"data.path: {source} gave {_kind(values)}, which is not an array: {why}", TAKEN
        ) from None
    except Exception as error:  # any object can be asked for an array, and can fail
        raise DataError(
            f"data.path: {source} gave {_kind(values)}, which is not an array: {error}", TAKEN
        ) from None
    if array.dtype.kind == "O":
        raise DataError(
            f"data.path: {source} gave {_kind(values)}, which is not an array of numbers or strings", TAKEN
        )
    return array


def _is_finite_array(values: Any) -> bool:
    """Return whether NumPy makes an array of a value without iterating over an object of the user's."""
    if isinstance(values, TorchDataset):
        return False
    if isinstance(values, list | tuple):
        several = isinstance(values, tuple) and any(getattr(item, "ndim", 0) for item in values)
        return not several and not any(isinstance(item, TorchDataset) for item in values)
    known = int | float | complex | str | bytes | range
    return isinstance(values, known) or hasattr(values, "__array__") or hasattr(values, "__array_interface__")


def _kind(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an object of type {type(value).__name__}"


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Context manager that starts all global random numbers at `seed`, and restores them afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
