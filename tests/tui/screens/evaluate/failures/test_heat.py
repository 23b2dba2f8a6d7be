"""Occlusion maps over pictures: colour where the score changes, the picture where it does not."""

import numpy as np

from tui.screens.evaluate.failures.heat import over_picture
from tui.terminal.themes import BLUE, ORANGE


def test_a_fall_is_orange_and_a_rise_is_blue_over_the_grey_picture() -> None:
    pixels = np.full((1, 3), 100, dtype=np.uint8)
    falls = np.array([[0.4, 0.0, -0.4]])
    fell, same, rose = over_picture(pixels, falls, no_color=False)[0].tolist()
    assert same == [100, 100, 100]
    assert fell == [round(0.2 * 100 + 0.8 * part) for part in ORANGE]
    assert rose == [round(0.2 * 100 + 0.8 * part) for part in BLUE]
    assert over_picture(pixels, falls, no_color=True).tolist() == [[255, 0, 0]]
    assert over_picture(pixels, 0 * falls, no_color=False)[0].tolist() == [[100] * 3] * 3
