import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.color import Color
from textual.geometry import Size

from tui.widgets.confusion_matrix import ConfusionMatrix
from tui.widgets.confusion_paint import arrange_compact, readable, reveal

RGB = tuple[int, int, int]


@settings(derandomize=True)
@given(*[st.integers(0, 255)] * 3)
def test_numbers_are_readable_on_any_shade(red: int, green: int, blue: int) -> None:
    assert contrast(readable(Color(red, green, blue)).rgb, (red, green, blue)) >= 4.5


def contrast(one: RGB, other: RGB) -> float:
    """WCAG 2.2, contrast ratio."""

    def luminance(rgb: RGB) -> float:
        channels = np.array(rgb) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@settings(derandomize=True)
@given(st.integers(0, 500), st.integers(0, 99), st.integers(1, 9), st.integers(0, 60))
def test_scrolling_shows_the_whole_cell_if_there_is_room(
    scroll: int, index: int, size: int, room: int
) -> None:
    shown = reveal(scroll, index, size, room)
    start = index * size
    assert shown <= start
    if room >= size:
        assert start + size <= shown + room
    assert shown == scroll or shown % size == 0, "it stops where a cell begins"


@pytest.mark.parametrize(
    ("names", "width", "shown"),
    [
        (["airplane", "bird"], 6, ["airpl…", "bird"]),
        (["airplane", "bird"], 3, ["air", "bir"]),
        (["airplane", "bird"], 1, ["", ""]),
        (["class_027", "class_113"], 6, ["…027", "…113"]),
        (["cat", "catfish"], 5, ["cat", "…tfi…"]),
    ],
)
def test_short_names_keep_what_tells_the_classes_apart(
    names: list[str], width: int, shown: list[str]
) -> None:
    matrix = ConfusionMatrix.of(np.eye(2, dtype=int), names)
    assert [matrix.short_name(label, width) for label in range(2)] == shown


def test_large_counts_are_written_short_and_captioned_in_full() -> None:
    matrix = ConfusionMatrix.of(np.array([[99_999, 168_432], [0, 1]]), ["a", "b"])
    assert [matrix.text(0, label, "count") for label in range(2)] == ["99999", "168k"]
    assert matrix.text_width("count") == 5
    assert matrix.caption(0, 1) == "true a → predicted b: 168,432 of 268,431 (62.7 %)"


@pytest.mark.parametrize(
    ("names", "width", "cells"),
    [(["benign", "malignant"], 34, 10), (["benign", "malignant"], 26, 7), (["a", "b"], 34, 7)],
)
def test_compact_columns_are_as_wide_as_the_names_where_there_is_room(
    names: list[str], width: int, cells: int
) -> None:
    matrix = ConfusionMatrix.of(np.eye(2, dtype=int), names)
    layout = arrange_compact(matrix, Size(width, 12))
    assert layout.cell_width == cells
    assert layout.virtual_size.width <= width
