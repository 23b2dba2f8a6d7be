"""Image files of every kind become the pixels a person sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.images.pictures import facts_of, read_picture

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 4, 3)).astype(np.uint8)
GREY = COLOUR[:, :, 0]


def read(path: Path, grey: bool, size: tuple[int, int] = (6, 4)) -> np.ndarray:
    return read_picture(path, size, grey=grey).pixels.transpose(1, 2, 0)


def test_plain_pictures(tmp_path: Path) -> None:
    for ending in ("png", "bmp", "tif", "ppm", "webp"):
        path = tmp_path / f"a.{ending}"
        Image.fromarray(COLOUR).save(path, lossless=True)
        assert np.array_equal(read(path, grey=False), COLOUR), ending
        assert facts_of(path) == (6, 4, False)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_cameras_held_otherwise(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    picture = Image.fromarray(
        np.kron(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, np.ones((8, 8), np.uint8))
    )
    facts = picture.getexif()
    facts[0x0112] = 6  # a quarter turn to the right
    picture.save(path, exif=facts, quality=100)
    assert facts_of(path)[:2] == (24, 16)
    upright = np.rot90(np.asarray(picture), -1).astype(int)
    assert np.abs(read(path, grey=True, size=(24, 16))[:, :, 0].astype(int) - upright).max() <= 2


def test_palettes(tmp_path: Path) -> None:
    picture = Image.fromarray(COLOUR).quantize(8)
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "a.gif")
    expected = np.asarray(picture.convert("RGB"))
    assert np.array_equal(read(tmp_path / "a.png", grey=False), expected)
    assert np.array_equal(read(tmp_path / "a.gif", grey=False), expected)
    assert not facts_of(tmp_path / "a.png")[2]
    Image.fromarray(GREY).quantize(8).save(tmp_path / "grey.png")
    assert facts_of(tmp_path / "grey.png")[2]


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    alpha = np.zeros((6, 4, 1), np.uint8)
    alpha[:3] = 255
    Image.fromarray(np.concatenate([COLOUR, alpha], axis=2)).save(tmp_path / "rgba.png")
    seen = read(tmp_path / "rgba.png", grey=False)
    assert np.array_equal(seen[:3], COLOUR[:3])
    assert (seen[3:] == 255).all()
    Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha[:, :, 0])]).save(tmp_path / "la.png")
    seen = read(tmp_path / "la.png", grey=True)[:, :, 0]
    assert np.array_equal(seen[:3], GREY[:3])
    assert (seen[3:] == 255).all()
    flat = Image.fromarray(np.full((6, 4), 9, np.uint8))
    flat.save(tmp_path / "named.png", transparency=9)
    assert (read(tmp_path / "named.png", grey=True) == 255).all()


def test_16_bits_become_8(tmp_path: Path) -> None:
    deep = GREY.astype(np.uint16) * 256 + 77
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    for file in ("deep.png", "deep.tif"):
        assert np.array_equal(read(tmp_path / file, grey=True)[:, :, 0], GREY)
        assert np.array_equal(read(tmp_path / file, grey=False), np.repeat(GREY[:, :, None], 3, axis=2))
        assert facts_of(tmp_path / file)[2]


def test_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(GREY > 99).save(tmp_path / "bits.png")
    assert np.array_equal(read(tmp_path / "bits.png", grey=True)[:, :, 0], (GREY > 99) * 255)


def test_colour_becomes_grey_and_grey_colour(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "c.png")
    Image.fromarray(GREY).save(tmp_path / "g.png")
    grey = np.asarray(Image.fromarray(COLOUR).convert("L"))
    assert np.array_equal(read(tmp_path / "c.png", grey=True)[:, :, 0], grey)
    assert np.array_equal(read(tmp_path / "g.png", grey=False), np.repeat(GREY[:, :, None], 3, axis=2))


def test_cmyk(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "c.tif")
    assert np.array_equal(read(tmp_path / "c.tif", grey=False), COLOUR)


def test_a_picture_too_large_to_be_true_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(Image.DecompressionBombError):
        read(tmp_path / "a.png", grey=True)
