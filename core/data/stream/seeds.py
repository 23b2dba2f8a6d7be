"""Random numbers of a user's data set: what a sample is like depends on seed, epoch and sample alone.

So it is the same in any worker process, after a resume, and on each of several machines.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

from core.data.batches import Draws

__all__ = ["FIXED", "Draws", "Generators", "keeping_generators"]

FIXED: Draws = (0, -1)
"""For validation and test, previews and statistics: a sample is the same each time that it is read."""

MASK = 2**64 - 1
STEP, FACTORS = 0x9E3779B97F4A7C15, (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SEED_MASK = 2**32 - 1
MAX_DEPTH = 4
"""Of objects within objects that are searched for generators: a data set in a Subset with a transform has one more."""
MAX_ITEMS = 64
"""Items of a list or a mapping that are looked at."""
OWN = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)


class Generators:
    """The generators that a data set draws from: the global ones, and those that it keeps in its attributes.

    Args:
        owner: the data set.

    Attributes:
        draws_python: the data set was seen to draw from the module `random`.
    """

    def __init__(self, owner: Any) -> None:
        self._own = _generators_in(owner)
        self._draws: Draws | None = None
        self._begun = 0
        self._untouched: Any = None
        self.draws_python = False

    def seed(self, draws: Draws, index: int) -> None:
        """Start all of them at what seed, epoch and sample give."""
        for _ in self.of_each(draws, [index], python=True):
            pass

    def of_each(self, draws: Draws, indices: Sequence[int], *, python: bool) -> Iterator[int]:
        """Yield each index, once all generators are at what seed, epoch and this sample give.

        Args:
            python: the one of the module `random` among them, which takes longer than all others.
        """
        begun = self._begin(draws)
        values = _steps(
            np.full(len(indices), begun, np.uint64), np.array(indices, np.int64).astype(np.uint64)
        )
        values = _steps(values, np.uint64(0))
        seeds = (values & np.uint64(SEED_MASK)).tolist(), (values >> np.uint64(1)).tolist()
        numpy_seed, torch_seed = np.random.seed, torch.default_generator.manual_seed
        for index, value, low, half in zip(indices, values.tolist(), *seeds, strict=True):
            if python:
                random.seed(value)
            numpy_seed(low)
            torch_seed(half)
            for place, generator in enumerate(self._own, start=1):
                _seed(generator, _mixed(begun, (index, place)))
            yield index

    @contextmanager
    def watching_python(self, draws: Draws) -> Iterator[None]:
        """Context manager that finds out whether the data set draws from the module `random`."""
        random.seed(self._begin(draws))
        if self._untouched is None:
            self._untouched = random.getstate()
        try:
            yield
        finally:
            self.draws_python = random.getstate() != self._untouched

    def _begin(self, draws: Draws) -> int:
        if draws != self._draws:
            self._draws, self._begun, self._untouched = draws, _mixed(0, draws), None
        return self._begun


@contextmanager
def keeping_generators() -> Iterator[None]:
    """Context manager that restores the global generators of the processor: a training draws from them, too."""
    python, numpy, torch_state = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(torch_state)


def _mixed(value: int, parts: Iterable[int]) -> int:
    """Return 64 bits of `value` and of numbers after it; splitmix64 (Steele, Lea and Flood 2014), a step for each."""
    for part in parts:
        value = (value + part + STEP) & MASK
        value = ((value ^ (value >> 30)) * FACTORS[0]) & MASK
        value = ((value ^ (value >> 27)) * FACTORS[1]) & MASK
        value ^= value >> 31
    return value


def _steps(values: np.ndarray, parts: "np.ndarray | np.uint64") -> np.ndarray:
    """Return a step of `_mixed` for each of many values, uint64 (n,)."""
    values = values + parts + np.uint64(STEP)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(FACTORS[0])
    values = (values ^ (values >> np.uint64(27))) * np.uint64(FACTORS[1])
    mixed: np.ndarray = values ^ (values >> np.uint64(31))
    return mixed


def _seed(generator: Any, value: int) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = type(generator.bit_generator)(value).state
    elif isinstance(generator, np.random.RandomState):
        generator.seed(value & SEED_MASK)
    elif isinstance(generator, torch.Generator):
        generator.manual_seed(value >> 1)
    else:
        generator.seed(value)


def _generators_in(owner: Any) -> list[Any]:
    """Return the generators in the attributes of an object, and of what is in these, each once."""
    found: list[Any] = []
    seen: set[int] = set()
    level = [owner]
    for _ in range(MAX_DEPTH + 1):
        following: list[Any] = []
        for one in level:
            if id(one) in seen:
                continue
            seen.add(id(one))
            if isinstance(one, OWN):
                found.append(one)
            else:
                following += _parts(one)
        level = following
    return found


def _parts(one: Any) -> list[Any]:
    """Return what an object consists of; nothing for arrays, numbers and classes, which hold no generators."""
    if isinstance(one, list | tuple):
        return list(one[:MAX_ITEMS])
    if isinstance(one, dict):
        return list(one.values())[:MAX_ITEMS]
    if isinstance(one, type | ModuleType | torch.Tensor | np.ndarray):
        return []
    attributes = getattr(one, "__dict__", None)
    return list(attributes.values()) if isinstance(attributes, dict) else []
