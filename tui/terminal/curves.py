"""Small curves in text: a line of dots through values, two by four dots a cell."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["curve", "sparkline"]

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille cell, by row and column."""
BLANK = 0x2800


def sparkline(values: NDArray[np.generic], cells: int) -> str:
    """Return values (n,) as a curve of one line."""
    return curve(values, cells, 1)[0]


def curve(values: NDArray[np.generic], cells: int, lines: int) -> list[str]:
    """Return values (n,) as a curve of some lines, from the smallest value at the bottom to the largest at the top.

    Each column of dots reaches over all values that fall into it, and to the column before.
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, 0.0)
    columns, rows = 2 * cells, 4 * lines
    if not len(numbers):
        return [" " * cells] * lines
    low, high = float(numbers.min()), float(numbers.max())
    heights = (
        (numbers - low) / ((high - low) or 1.0) * (rows - 1)
        if high > low
        else np.full(len(numbers), rows // 2)
    )
    places = np.arange(columns + 1) * len(numbers) // columns
    grid = np.zeros((lines, cells), dtype=np.int64)
    before: float | None = None
    for column in range(columns):
        part = heights[places[column] : max(places[column + 1], places[column] + 1)]
        reached = part if before is None else np.append(part, before)
        for height in range(round(float(reached.min())), round(float(reached.max())) + 1):
            row = rows - 1 - height
            grid[row // 4, column // 2] |= DOTS[row % 4][column % 2]
        before = float(part[-1])
    return ["".join(chr(BLANK + bits) for bits in line) for line in grid.tolist()]
