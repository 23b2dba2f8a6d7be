"""A difference between two models, and how clear it is."""

from dataclasses import dataclass

__all__ = ["LEVEL", "Difference", "student"]

LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """A metric of one model minus that of another.

    Attributes:
        value: the difference, in the unit of the metric.
        interval: 95 % interval, corrected for the number of comparisons.
        p: probability of a difference at least this large between models that are equally good, times the number of
            comparisons (Bonferroni), at most 1.
    """

    value: float
    interval: tuple[float, float]
    p: float

    @property
    def is_clear(self) -> bool:
        """Return whether it is larger than chance alone would make it in 95 of 100 comparisons."""
        return self.p < LEVEL


def student(value: float, error: float, freedom: float, comparisons: int) -> Difference:
    """Return the difference whose standard error and degrees of freedom are known, by Student's distribution."""
    from scipy import special

    p = 2 * float(special.stdtr(freedom, -abs(value) / error))
    width = float(special.stdtrit(freedom, 1 - LEVEL / 2 / comparisons)) * error
    return Difference(value, (value - width, value + width), min(1.0, p * comparisons))
