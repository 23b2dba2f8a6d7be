"""Small curves in text."""

import numpy as np
import pytest

from tui.terminal.curves import curve, sparkline


def heights(line: str) -> list[int]:
    """The number of dots of each cell."""
    return [(ord(cell) - 0x2800).bit_count() for cell in line]


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    top, *_, bottom = curve(np.arange(40.0), 10, 3)
    assert [cell == "\u2800" for cell in top] == [True] * 6 + [False] * 4
    assert [cell == "\u2800" for cell in bottom] == [False] * 4 + [True] * 6


@pytest.mark.parametrize(
    "values",
    [
        np.array([]),
        np.array([3.0]),
        np.ones(7),
        np.array([np.nan, np.inf, 1.0]),
        np.arange(3),
        np.arange(1000),
    ],
)
@pytest.mark.parametrize(("cells", "lines"), [(1, 1), (12, 1), (9, 4)])
def test_any_values_fill_the_cells(values: np.ndarray, cells: int, lines: int) -> None:
    drawn = curve(values, cells, lines)
    assert [len(line) for line in drawn] == [cells] * lines


def test_a_peak_between_two_columns_is_not_lost() -> None:
    values = np.zeros(1000)
    values[501] = 1.0
    assert max(heights(sparkline(values, 5))) >= 4
