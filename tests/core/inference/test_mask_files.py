"""Predicted masks as files, as large as the pictures that they belong to."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from core.arrays import IGNORED
from core.inference.mask_files import picture_sizes, restored, write_masks

MASK = np.array([[0, 1], [2, 3]], dtype=np.uint8)


def test_a_mask_is_scaled_back_to_where_the_picture_was_seen() -> None:
    assert np.array_equal(restored(MASK, (4, 4)), MASK.repeat(2, axis=0).repeat(2, axis=1))
    wide = restored(MASK, (2, 6))
    assert np.array_equal(wide[:, 2:4], MASK)
    assert (wide[:, [0, 1, 4, 5]] == IGNORED).all()
    assert restored(MASK, (1, 1)).shape == (1, 1)


def test_what_is_restored_lies_where_fitting_took_it_from() -> None:
    drawn = np.random.default_rng(0)
    for height, width in ((30, 50), (50, 30), (41, 37), (16, 24)):
        places = np.zeros((height, width), dtype=np.uint8)
        row, column = (
            drawn.integers(height * 3 // 8, height * 5 // 8),
            drawn.integers(width * 3 // 8, width * 5 // 8),
        )
        places[: row + 1, : column + 1] = 9
        fitted = np.asarray(ImageOps.fit(Image.fromarray(places), (8, 8), Image.Resampling.NEAREST))
        found = restored(fitted, (height, width))
        seen = found != IGNORED
        steps = -(-max(height, width) // 8)
        assert np.mean(found[seen] == places[seen]) > 1 - 4 * steps / min(height, width)
        assert seen.sum() == min(height, width) ** 2


def test_masks_are_written_as_large_as_their_pictures(tmp_path: Path) -> None:
    for name, size in (("a.png", (6, 4)), ("inner/b.jpg", (2, 2))):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(tmp_path / "in" / name)
    ids = ["a.png", "inner/b.jpg"]
    sizes = picture_sizes(tmp_path / "in", ids)
    assert sizes == [(4, 6), (2, 2)]
    assert picture_sizes(tmp_path / "in" / "a.png", ["a.png"]) == [(4, 6)]
    assert picture_sizes(tmp_path / "x.npz", ["0"]) is None
    assert write_masks(ids, np.stack([MASK, MASK]), tmp_path / "out", sizes) == 2
    assert Image.open(tmp_path / "out" / "a.png").size == (6, 4)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "inner" / "b.png")), MASK)
