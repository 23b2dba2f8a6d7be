"""Arrays as pictures."""

import numpy as np

from core.arrays import as_pixels


def test_pixels_run_from_black_to_white_over_the_range() -> None:
    values = np.array([[-1.0, 0.0], [0.5, 9.0]], np.float32)
    pixels = as_pixels(values, (-1.0, 1.0))
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[0, 128], [191, 255]]


def test_bytes_stay_what_they_are() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(as_pixels(values, (0, 255)), values)


def test_a_range_without_extent_is_black() -> None:
    assert as_pixels(np.full(3, 7.0), (7.0, 7.0)).tolist() == [0, 0, 0]
