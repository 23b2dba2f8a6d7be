"""Histograms in any room: bars as high as shares, the steps beside each other, never wider than there is room."""

import numpy as np
import pytest
from rich.cells import cell_len

from core.runs.media.histograms import Counts, counted_values
from tui.charts.histograms import histogram_lines

WIDE = counted_values([1.0, 1.0, 1.0, 3.0], 2)


def drawn(counts: list[Counts], place: int, width: int, height: int) -> list[str]:
    steps = [(10 * (number + 1), each) for number, each in enumerate(counts)]
    return histogram_lines(steps, place, width, height).plain.split("\n")


def test_bars_are_as_high_as_shares() -> None:
    lines = drawn([WIDE], 0, 9 + 2, 7)
    assert lines[0] == "4 values  m"
    assert [line[9:] for line in lines[1:6]] == ["█ ", "█ ", "█ ", "█▆", "██"]
    assert lines[1].startswith("    75 %")
    assert len(lines) == 7


def test_the_steps_are_below_where_there_is_room() -> None:
    narrow = counted_values([2.0, 2.5, float("nan")], 2)
    lines = drawn([WIDE, narrow, narrow], 1, 60, 20)
    assert "▲ 1 not finite" in lines[0]
    foot = lines[-1]
    assert foot[9:].startswith("step 10")
    assert foot.endswith("30")
    assert abs(foot.index("▲") - 9 - 51 / 2) < 51 / 3
    density = "\n".join(lines[11:-1])
    assert "█" in density
    assert "░" in density
    assert len(drawn([WIDE, narrow], 0, 60, 8)) == 8  # too low for both


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (11, 14), (40, 13), (200, 60)])
@pytest.mark.parametrize("values", [[0.0], [-1.7e308, 1.7e308], [1e-300, 2e-300], [1e16, 1e16 + 2]])
def test_it_fits_into_any_room(size: tuple[int, int], values: list[float]) -> None:
    several = [counted_values(values, 64), counted_values(np.array(values) / 2, 3)] * 40
    for place in (0, 79):
        lines = drawn(several, place, *size)
        assert len(lines) <= size[1]
        assert all(cell_len(line) <= max(size[0], 10) for line in lines)
