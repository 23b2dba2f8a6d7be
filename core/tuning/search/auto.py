"""The choice of a search method for those who leave it to `auto`."""

from typing import Literal

from core.tuning.search.space import Range, SearchSpace

__all__ = ["AUTO", "Method", "choose_method"]

Method = Literal["grid", "random", "bayes", "gp"]
AUTO: Literal["auto"] = "auto"
FEW_TRIALS = 30
"""A Gaussian process takes a tenth of a second and more for each trial after so many, and gains nothing any more."""
FEW_NUMBERS = 3
"""It models so many numbers well; choices, and parameters that only some trials have, are better left to TPE."""


def choose_method(space: SearchSpace, trials: int | None, *, whole: bool) -> tuple[Method, str]:
    """Return the method for a space, and why.

    - ``grid`` where all combinations can be tried,
    - ``gp`` for at most three numbers and thirty trials,
    - ``bayes``, which is TPE, for everything else.

    Args:
        trials: how many are to be made; None for as many as time allows.
        whole: true if each is trained to its end and judged by one number: a Gaussian process knows no other.
    """
    size = 0 if space.endless() else space.grid_size()
    if 0 < size <= (trials or FEW_TRIALS):
        return "grid", f"all {size} combinations can be tried"
    ranges = [isinstance(domain, Range) for domain in space.domains.values()]
    is_small = all(ranges) and len(ranges) <= FEW_NUMBERS and trials is not None and trials <= FEW_TRIALS
    if whole and is_small:
        return "gp", f"few numbers ({len(ranges)}) and few trials ({trials})"
    return "bayes", "TPE, which learns from any number of trials in any space"
