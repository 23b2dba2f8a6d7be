"""The user's own sampler as the order of an epoch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.data.batches import Draws
from core.data.stream.seeds import Generators, keeping_generators
from core.errors import DataError

__all__ = ["order_of"]


def order_of(sampler: Any, total: int, source: str) -> Callable[[Draws], np.ndarray]:
    """Return what gives the order of an epoch, int64 (n,), from seed and epoch alone.

    Args:
        total: how many samples there are.

    Raises:
        DataError: the sampler draws another number of samples.
    """
    generators = Generators(sampler)

    def order(draws: Draws) -> np.ndarray:
        with keeping_generators():
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(draws[1])
            generators.seed(draws, -1)
            drawn = np.fromiter(map(int, sampler), dtype=np.int64)
        if len(drawn) != total or (total and not 0 <= drawn.min() <= drawn.max() < total):
            raise DataError(
                f"data.path: the sampler of {source} gives {len(drawn):,} places for {total:,} samples",
                "Make it give as many as there are samples, each from 0 to their number less 1",
            )
        return drawn

    order((0, 0))
    return order
