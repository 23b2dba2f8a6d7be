"""Metrics of a user's own, as a file that runs can name."""

from pathlib import Path

from core.user_code.trust import trust

__all__ = ["write_own_metrics"]

TEXT = """
import numpy as np


def f2(scores, targets):
    found, true = scores.argmax(axis=1) == 1, targets == 1
    hits, missed, wrong = (found & true).sum(), (~found & true).sum(), (found & ~true).sum()
    return 5 * hits / (5 * hits + 4 * missed + wrong)


f2.higher_is_better = True


class Cost:
    higher_is_better = False

    def __init__(self, price=3.0):
        self.price = price

    def __call__(self, scores, targets):
        found = scores.argmax(axis=1)
        return self.price * np.mean((found == 0) & (targets == 1)) + np.mean((found == 1) & (targets == 0))


class Dearer(Cost):
    pass


def fbeta(scores, targets, beta: float):
    found, true = scores.argmax(axis=1) == 1, targets == 1
    hits, missed, wrong = (found & true).sum(), (~found & true).sum(), (found & ~true).sum()
    return (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * missed + wrong)


fbeta.higher_is_better = True


def worst(scores, targets):
    return np.abs(scores - targets).max()


worst.higher_is_better = False


def never(scores, targets):
    return 1 / 0


never.higher_is_better = True


def undirected(scores, targets):
    return 1.0


def many(scores, targets):
    return scores


many.higher_is_better = True


def broken(scores, targets):
    return scores.nothing()


broken.higher_is_better = True


def spoils(scores, targets):
    scores[:], targets[:] = 0, 0
    return 0.0


spoils.higher_is_better = True
"""


def write_own_metrics(folder: Path) -> str:
    """Write the file, as one that the user has named; return its path with the colon before a name."""
    file = folder / "mine.py"
    file.write_text(TEXT)
    trust(file)
    return f"{file}:"
