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
from core.user_code.loading import as_user_error, call, parse

__all__ = ["collect"]

TAKEN = (
    "It must return inputs and targets as arrays or tensors, a torch Dataset of such pairs, or train and test sets in "
    "one of these forms"
)
REPORTED_EVERY = 1000


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
    classes = getattr(train, "classes", ())
    names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
    return Given(pairs[0], test=pairs[1] if len(pairs) == 2 else None, source=source, class_names=names)


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
    """All samples of a torch data set, one after the other."""
    if not hasattr(samples, "__len__"):
        raise DataError(f"data.path: {source} returned {_kind(samples)}, which has no length", TAKEN)
    inputs, targets = [], []
    try:
        total = len(samples)
        for number in range(total):
            sample = samples[number]
            if not isinstance(sample, tuple | list) or len(sample) != 2:
                said = f"sample {number} of {source} is {_kind(sample)}, not input and target"
                raise DataError(f"data.path: {said}", TAKEN)
            inputs.append(_array(sample[0], source))
            targets.append(_array(sample[1], source))
            if number % REPORTED_EVERY == 0:
                progress(f"reading {source}", number, total)
    except DataError:
        raise
    except Exception as error:  # the user's own code raises whatever it likes
        raise as_user_error(error) or DataError(
            f"data.path: sample {len(inputs)} of {source}: {type(error).__name__}: {error}"
        ) from None
    shapes = {array.shape for array in inputs}
    if len(shapes) > 1:
        one, other = sorted(shapes)[:2]
        raise DataError(
            f"data.path: samples of {source} have the shapes {one} and {other}", "Give all the same shape"
        )
    return (np.stack(inputs), np.stack(targets)) if inputs else (np.empty((0, 1)), np.empty(0))


def _array(values: Any, source: str) -> np.ndarray:
    """Numbers or texts as an array, wherever they lie."""
    try:
        array = as_array(values)
    except Exception as error:  # any object can be asked for an array, and can fail
        raise DataError(
            f"data.path: {source} gave {_kind(values)}, which is not an array: {error}", TAKEN
        ) from None
    if array.dtype.kind == "O":
        raise DataError(
            f"data.path: {source} gave {_kind(values)}, which is not an array of numbers or strings", TAKEN
        )
    return array


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
