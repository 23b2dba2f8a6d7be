"""Samples held out at random are those that scikit-learn holds out, in a quarter of its memory."""

import tracemalloc

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from core.data.division.at_random import at_random


@pytest.mark.parametrize("seed", range(60))
def test_the_same_samples_are_held_out_as_by_scikit_learn(seed: int) -> None:
    draw = np.random.default_rng(seed)
    total, classes = int(draw.integers(1, 300)), int(draw.integers(1, 12))
    share = float(draw.choice([0.1, 0.2, 0.5, 0.9, draw.uniform(0.01, 0.99)]))
    strata = None if seed % 6 == 0 else (draw.random(total) ** (1 + seed % 3) * classes).astype(int)
    found = at_random(total, strata, share, seed)
    try:
        wanted = train_test_split(np.arange(total), test_size=share, random_state=seed, stratify=strata)
    except ValueError:
        assert found is None
        return
    assert found is not None
    for one, other in zip(found, wanted, strict=True):
        assert np.array_equal(one, np.sort(other))


def test_holding_out_takes_some_bytes_a_sample() -> None:
    total = 200_000
    strata = np.random.default_rng(0).integers(0, 5, total)
    tracemalloc.start()
    at_random(total, strata, 0.2, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 32 * total
