"""How much more a number varies when whole groups of samples come and go than when samples do.

By the delete-a-group jackknife (Busing, Meijer and van der Leeden, "Delete-m jackknife for unequal m", 1999), with
Student's quantile for as many groups.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import numpy as np

from core.evaluation.intervals import LEVELS, Interval
from core.evaluation.values import Integers

__all__ = ["FEWEST_GROUPS", "blocks_of", "group_factors", "too_few_groups", "widened_to_groups"]

FEWEST_GROUPS = 10
"""Groups below which how much they differ is not known well enough for an interval."""
MAX_BLOCKS, BLOCKS_OF_MANY = 60, 20
"""Blocks that groups are joined to, each of which is left out once; fewer where there are many samples."""
MANY_SAMPLES = 100_000

Key = TypeVar("Key", bound=Hashable)


def too_few_groups(groups: Integers | None) -> str:
    """Return why samples (n,) of some groups have no intervals; empty where they have."""
    if groups is None:
        return ""
    count = len(np.unique(groups))
    if count >= min(FEWEST_GROUPS, len(groups)):
        return ""
    return (
        f"the samples are of {count} {'group' if count == 1 else 'groups'}, fewer than the {FEWEST_GROUPS} that an "
        "interval needs, as those of one group are not independent"
    )


def blocks_of(groups: Integers | None) -> Integers | None:
    """Return the block (n,) that each sample is left out with: its group, or some groups where there are many.

    None where each sample is a group of its own, so that all are independent.
    """
    if groups is None:
        return None
    names, codes = np.unique(groups, return_inverse=True)
    count = len(names)
    if count == len(groups):
        return None
    most = BLOCKS_OF_MANY if len(groups) > MANY_SAMPLES else MAX_BLOCKS
    blocks: Integers = codes if count <= most else (np.random.default_rng(0).permutation(count) % most)[codes]
    return blocks


def group_factors(
    whole: Mapping[Key, float],
    intervals: Mapping[Key, Interval],
    blocks: Integers,
    values_of: Callable[[Integers], Mapping[Key, float]],
    more: Callable[[Key, int], float] = lambda key, blocks: 1.0,
) -> dict[Key, float]:
    """Return how much wider each interval is for groups than for independent samples, relative to half its width.

    Args:
        whole: the numbers of all samples.
        intervals: those of independent samples, of the numbers that it is wanted of.
        blocks: as of `blocks_of`.
        values_of: gives the numbers of the samples at some positions.
        more: by how much the quantile of a number is larger than Student's, for so many blocks.
    """
    from scipy import special  # loaded where intervals are computed, not where reports are read

    left: dict[Key, list[float]] = {key: [] for key in intervals}
    sizes: dict[Key, list[float]] = {key: [] for key in intervals}
    n = len(blocks)
    for block in range(int(blocks.max()) + 1):
        kept = np.flatnonzero(blocks != block)
        values = values_of(kept)
        for key in intervals.keys() & values.keys() & whole.keys():
            left[key].append(values[key])
            sizes[key].append(n / (n - len(kept)))
    factors = {}
    for key, each in left.items():
        if len(each) < FEWEST_GROUPS:
            continue
        ratio, theta = np.array(sizes[key]), np.array(each)
        pseudo = ratio * whole[key] - (ratio - 1) * theta
        centre = len(each) * whole[key] - ((1 - 1 / ratio) * theta).sum()
        variance = float(((pseudo - centre) ** 2 / (ratio - 1)).mean())
        half = (intervals[key][1] - intervals[key][0]) / 2
        if variance > 0 and half > 0:
            quantile = float(special.stdtrit(len(each) - 1, LEVELS[1])) * more(key, len(each))
            factors[key] = quantile * variance**0.5 / half
    return factors


def widened_to_groups(
    value: float, ends: Interval, factor: float, spread: float, *, is_share: bool
) -> Interval:
    """Move the ends of an interval away from a value; one that touches its bound as if groups were single samples.

    Of numbers that are no shares each end is moved only if it is nearer than the new half of the width, since the high
    end of an error may be far off already.

    Args:
        spread: square root of the samples a group.
        is_share: whether the number lies between 0 and 1, so that it is widened on the logit scale.
    """
    low, high = ends
    if not is_share:
        reach = factor * (high - low) / 2
        low, high = min(low, value - reach), max(high, value + reach)
        return [max(0.0, low) if value >= 0 and ends[0] >= 0 else low, high]
    factor, found = max(1.0, factor), []
    for end in (low, high):
        if 0 < value < 1 and 0 < end < 1:
            odds, other = np.log(value / (1 - value)), np.log(end / (1 - end))
            found.append(float(1 / (1 + np.exp(-(odds + factor * (other - odds))))))
        else:
            widest = max(factor, spread**2 if value in (0, 1) else 1)
            found.append(float(np.clip(value + widest * (end - value), 0, 1)))
    return found
