"""Arrays of Python objects, as pandas and mixed lists give them: texts or numbers, or nothing to learn from."""

from numbers import Real
from typing import Any

import numpy as np

__all__ = ["unboxed"]

EXACT = 2**53
"""Whole numbers up to it are the same as float64."""


def unboxed(array: np.ndarray) -> np.ndarray:
    """Return an array of objects as texts, int64, bool or float64.

    Raises:
        ValueError: it holds something else; says what, and where.
    """
    held = {type(value) for value in array.flat}
    if held and all(issubclass(kind, str) for kind in held):
        return array.astype(np.str_)
    numbers = all(issubclass(kind, Real | np.bool_) for kind in held) or _are_decimals(held)
    if not numbers:
        texts = any(issubclass(kind, str) for kind in held)
        raise ValueError(_first_odd(array, texts=texts))
    if all(issubclass(kind, bool | np.bool_) for kind in held):
        return array.astype(np.bool_)
    whole = all(issubclass(kind, int | np.integer) for kind in held)
    largest = max((abs(int(value)) for value in array.flat if isinstance(value, int | np.integer)), default=0)
    if largest >= (2**63 if whole else EXACT):
        raise ValueError(f"it holds whole numbers up to {largest:.3g}, which are not exact in any type of it")
    return array.astype(np.int64 if whole else np.float64)


def _are_decimals(held: set[type]) -> bool:
    from decimal import Decimal

    return held == {Decimal}


def _first_odd(array: np.ndarray, *, texts: bool) -> str:
    """Return which of the values is neither a text nor a number, and where it stands."""
    kinds: Any = str if texts else Real
    odd = [at for at, value in enumerate(array.flat) if not isinstance(value, kinds)]
    row = int(np.unravel_index(odd[0], array.shape)[0])
    value = array.flat[odd[0]]
    known = value is None or isinstance(value, Real | str)
    shown = (
        "None"
        if value is None
        else repr(value)[:40]
        if known
        else f"an object of type {type(value).__name__}"
    )
    return f"it holds {shown} among {'texts' if texts else 'numbers'}, first for sample {row}"
