"""Few combinations in place of all of them."""

import itertools
import random
from collections.abc import Iterable

__all__ = ["covering"]


def covering(fitting: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Some of the combinations that fit, in which every two names that fit together meet at least once."""
    shuffled = list(fitting)
    random.Random(0).shuffle(shuffled)
    places = list(itertools.combinations(range(len(shuffled[0])), 2))
    met: set[tuple[int, str, int, str]] = set()
    chosen = []
    for wanted in range(len(places), 0, -1):  # first those in which the most pairs meet for the first time
        for combination in shuffled:
            pairs = {(i, combination[i], j, combination[j]) for i, j in places}
            if len(pairs - met) >= wanted:
                met |= pairs
                chosen.append(combination)
    return sorted(chosen)
