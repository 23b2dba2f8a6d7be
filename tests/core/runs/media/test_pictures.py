"""Pictures of whatever scripts hand over: their layout, their range, and what is said of each guess."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from core.errors import DataError
from core.runs.media import pictures
from core.runs.media.pictures import picture, png

GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)
COLOURED = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)


@pytest.mark.parametrize(
    ("value", "expected", "guessed"),
    [
        (GREY, GREY, set()),
        (GREY[..., None], GREY, set()),
        (GREY[None], GREY, set()),
        (COLOURED, COLOURED, set()),
        (torch.from_numpy(COLOURED).permute(2, 0, 1), COLOURED, set()),
        (GREY / 255, GREY, set()),
        (torch.from_numpy(GREY / 255).bfloat16().requires_grad_(), GREY, set()),
        (GREY > 5, (GREY > 5) * 255, set()),
        ((GREY > 5).astype(np.int64), (GREY > 5) * 255, set()),
        (GREY.astype(np.int64) + 200, GREY + 200, set()),
        (GREY.astype(np.float32), GREY, {"range"}),
        (GREY - 5.5, np.rint(GREY / 34 * 255), {"range"}),
        (np.where(GREY == 3, np.nan, GREY / 255), np.where(GREY == 3, 0, GREY), {"finite"}),
        (Pillow.fromarray(COLOURED), COLOURED, set()),
        (Pillow.fromarray(GREY > 5), (GREY > 5) * 255, set()),
        (COLOURED.tolist(), COLOURED, set()),
    ],
)
def test_layouts_and_ranges(value: Any, expected: np.ndarray, guessed: set[str]) -> None:
    pixels, notes = picture(value)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, expected)
    assert set(notes) == guessed


def test_an_ambiguous_shape_is_reported_and_can_be_said() -> None:
    square = np.arange(3 * 7 * 3, dtype=np.uint8).reshape(3, 7, 3)
    of_array, notes = picture(square)
    assert of_array.shape == (3, 7, 3)
    assert notes == {"layout": "3x7x3 is taken as HWC: layout='CHW' says otherwise"}
    of_tensor, notes = picture(torch.from_numpy(square))
    np.testing.assert_array_equal(of_tensor, square.transpose(1, 2, 0))
    assert "layout='HWC'" in notes["layout"]
    said, notes = picture(square, "chw")
    np.testing.assert_array_equal(said, of_tensor)
    assert not notes


def test_several_pictures_are_a_grid() -> None:
    grid, notes = picture(torch.full((5, 3, 2, 5), 0.2))
    assert (grid.shape, notes) == ((4, 15, 3), {})
    assert grid[:2].all()
    assert grid[2:, :10].all()
    assert not grid[2:, 10:].any()
    grey, notes = picture(np.ones((70, 2, 2), np.uint8))
    assert grey.shape == (16, 16)
    assert "70 grey pictures" in notes["layout"]
    assert notes["count"] == "70 pictures: the first 64 are kept"


def test_what_shines_through_is_on_white() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    for value in (clear, Pillow.fromarray(clear, "RGBA")):
        np.testing.assert_array_equal(picture(value)[0], np.full((2, 2, 3), 255))


def test_a_file_and_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(COLOURED))
    for value in (path, str(path)):
        np.testing.assert_array_equal(picture(value)[0], COLOURED)

    class Figure:
        def savefig(self, file: io.BytesIO, format: str) -> None:
            assert format == "png"
            file.write(png(GREY))

    np.testing.assert_array_equal(picture(Figure())[0], GREY)


@pytest.mark.parametrize(
    ("value", "layout", "said"),
    [
        (np.zeros((2, 5, 5, 5)), "", "2x5x5x5"),
        (np.zeros(5), "", "shape 5"),
        (np.zeros((0, 5)), "", "0x5"),
        (None, "", "single value"),
        (np.zeros((5, 5)), "CHW", "It takes HW"),
        (np.zeros((5, 6, 7)), "HWC", "7 channels"),
        (np.array([["a"]]), "", "type"),
        ("nowhere.png", "", "nowhere.png is not a picture: No such file"),
    ],
)
def test_what_is_not_a_picture(value: Any, layout: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        picture(value, layout)


def test_a_picture_of_any_size_becomes_one_that_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_SIDE", 8)
    smaller, notes = picture(np.full((4, 16), 9, np.uint8))
    assert (smaller.shape, notes) == ((2, 8), {"size": "16x4 pixels are reduced to 8x2"})
