"""Images of more than 8 bits are scaled by what all of them hold; new ones as the run's were."""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.data.images import decoding_job, pictures
from core.data.images.depth import Extremes, as_bytes, usual_range
from core.data.registry import load
from core.errors import DataError, DependencyError
from core.inference.inputs import read_inputs

GREY = np.random.default_rng(0).integers(0, 256, (16, 4, 6)).astype(np.uint8)
GREY[0, 0, 0] = 255


def write(root: Path, images: np.ndarray, ending: str = "tif") -> Path:
    """Write images (n, height, width) into two folders of classes."""
    for at, image in enumerate(images):
        (root / "ab"[at % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / "ab"[at % 2] / f"{at:02}.{ending}")
    return root


def loaded(folder: Path, **fields: Any) -> Dataset:
    values = {"name": "image_folder", "path": str(folder), **fields}
    return load(configuration.from_dict({"data": values}).data, folder.parent / "root")


def in_order(data: Dataset) -> np.ndarray:
    """All images (n, height, width), those of the first class first."""
    inputs = np.concatenate([split.inputs[:].numpy()[:, 0] for split in data.splits.values()])
    return inputs[np.argsort(np.concatenate([split.indices for split in data.splits.values()]))]


BY_CLASS = np.concatenate([GREY[::2], GREY[1::2]])
DEEP = [
    ("16 bits", GREY.astype(np.uint16) * 257, (0, 65535)),
    ("12 bits", GREY.astype(np.uint16) * 16, (0, 4095)),
    ("10 bits", GREY.astype(np.uint16) * 4, (0, 1023)),
    ("8 bits in 16", GREY.astype(np.uint16), (0, 255)),
    ("0 to 1", GREY.astype(np.float32) / 255, (0, 1)),
    ("0 to 255", GREY.astype(np.float32), (0, 255)),
    ("signed", GREY.astype(np.float32) * 10 - 1000, (-1000, 1550)),
    ("large", GREY.astype(np.int32) * 1000, (0, 255_000)),
]


@pytest.mark.parametrize(("images", "expected"), [case[1:] for case in DEEP], ids=[case[0] for case in DEEP])
def test_values_are_scaled_by_what_the_images_hold(
    images: np.ndarray, expected: tuple[float, float], tmp_path: Path
) -> None:
    folder = write(tmp_path / "deep", images)
    data = loaded(folder)
    low, high = expected
    assert np.abs(in_order(data).astype(int) - BY_CLASS).max() <= 1
    assert data.deep_range == expected
    start = f"values: {low:g} to {high:g} become black to white in 16 images of more than 8 bits; "
    assert f"{start}data.value_range sets it" in data.notes
    assert loaded(folder).notes == data.notes, "the same is reported when they are not decoded anew"
    fresh = read_inputs(folder / "a", data)
    assert np.array_equal(fresh.inputs.numpy()[:, 0], in_order(data)[:8]), (
        "new images are scaled as the run's"
    )


@pytest.mark.slow
def test_workers_find_the_same_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_job, "MAX_IN_PROCESS", 0)
    monkeypatch.setattr(decoding_job, "available_cores", lambda: 1)
    data = loaded(write(tmp_path / "deep", GREY.astype(np.uint16) * 16))
    assert np.array_equal(in_order(data), BY_CLASS)
    assert data.deep_range == (0, 4095)


def test_deep_and_plain_images_may_be_mixed(tmp_path: Path) -> None:
    folder = write(tmp_path / "mixed", GREY[:8], "png")
    write(folder, np.pad(GREY[8:].astype(np.uint16) * 16, ((8, 0), (0, 0), (0, 0)))[8:])
    data = loaded(folder)
    assert len(in_order(data)) == 16
    assert data.deep_range == (0, 4095)


def test_the_range_can_be_set(tmp_path: Path) -> None:
    folder = write(tmp_path / "deep", GREY.astype(np.uint16) * 16)
    data = loaded(folder, value_range=[0, 65535])
    assert np.array_equal(in_order(data), BY_CLASS // 16)
    with pytest.raises(
        DataError, match=r"data\.value_range: got \[5\]. It takes a smaller and a larger number"
    ):
        loaded(folder, value_range=[5])


def test_new_images_outside_of_the_range_are_reported(tmp_path: Path) -> None:
    data = loaded(write(tmp_path / "deep", GREY.astype(np.uint16) * 4))
    write(tmp_path / "new", GREY[:2].astype(np.uint16) * 16)
    assert read_inputs(tmp_path / "new", data).notes == (
        "2 pictures have values outside of 0 to 1023, which are clipped",
    )
    plain = loaded(write(tmp_path / "plain", GREY, "png"))
    (note,) = read_inputs(tmp_path / "new", plain).notes
    assert "more than 8 bits, unlike those the model was trained on" in note


def test_images_of_one_value_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="all images are of the one value 7"):
        loaded(write(tmp_path / "flat", np.full_like(GREY, 7), "png"))


def test_colour_images_of_16_bits_that_hold_fewer_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "wide", GREY // 16, "png")
    read = pictures.read_picture

    def as_wide(*arguments: Any, **named: Any) -> pictures.Picture:
        return read(*arguments, **named)._replace(is_wide=True)

    monkeypatch.setattr("core.data.images.decoding.read_picture", as_wide)
    with pytest.raises(DataError, match="16 colour images of 16 bits hold at most 15 of 255"):
        loaded(folder)


def test_not_a_number_is_a_broken_image(tmp_path: Path) -> None:
    images = GREY.astype(np.float32) / 255
    images[3, 0, 0] = np.nan
    with pytest.raises(
        DataError, match=r"1 of 16 images cannot be read: b/03\.tif \(it holds NaN or infinite values\)"
    ):
        loaded(write(tmp_path / "deep", images))


def test_further_pages_are_reported(tmp_path: Path) -> None:
    folder = write(tmp_path / "pages", GREY, "png")
    frames = [Image.fromarray(image) for image in GREY[:3]]
    for name in ("x.tif", "x.gif"):
        frames[0].save(folder / "a" / name, save_all=True, append_images=frames[1:])
    data = loaded(folder)
    assert data.notes == ("2 files hold more than one picture, such as a/x.gif: the first of each is read",)
    assert np.array_equal(in_order(data)[9], GREY[0])


@pytest.mark.parametrize("ending", ["jfif", "jpe", "tga", "avif", "jp2", "JPG", "dib"])
def test_formats_by_their_endings(ending: str, tmp_path: Path) -> None:
    kind = {"jfif": "JPEG", "jpe": "JPEG", "jp2": "JPEG2000", "dib": "BMP"}.get(ending)
    for at, image in enumerate(np.kron(GREY, np.ones((1, 8, 8), np.uint8))):
        (tmp_path / "f" / "ab"[at % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "f" / "ab"[at % 2] / f"{at}.{ending}", kind)
    data = loaded(tmp_path / "f")
    assert (data.class_names, len(in_order(data))) == (("a", "b"), 16)
    assert data.notes == ()


def heic(path: Path) -> None:
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))


def test_heic_images_name_the_package_that_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "has_heic", lambda: False)
    folder = write(tmp_path / "phone", GREY, "png")
    heic(folder / "a" / "x.jpg")
    with pytest.raises(DataError, match=r"a/x\.jpg \(a HEIC image, which needs the package pillow-heif\)"):
        loaded(folder)
    (folder / "a" / "x.jpg").rename(folder / "a" / "x.HEIC")
    with pytest.raises(
        DependencyError, match=r"1 HEIC images need the package pillow-heif, .*torchtui\[heic\]"
    ):
        loaded(folder)


def test_heic_images_are_read_through_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered = []
    package = types.ModuleType("pillow_heif")

    def register_heif_opener() -> None:
        registered.append(True)
        opened = Image.open
        monkeypatch.setattr(Image, "open", lambda file: opened(tmp_path / "x.png"))

    package.register_heif_opener = register_heif_opener  # type: ignore[attr-defined]  # the package's one function
    monkeypatch.setitem(sys.modules, "pillow_heif", package)
    monkeypatch.setattr(pictures, "has_heic", lambda: True)
    heic(tmp_path / "x.heic")
    Image.fromarray(GREY[0]).save(tmp_path / "x.png")
    assert np.array_equal(pictures.read_picture(tmp_path / "x.heic", (4, 6), grey=True).pixels[0], GREY[0])
    assert registered


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"%PDF-1.7", "a PDF file"),
        (b"\0" * 64, "nothing but zeros"),
        (b"\xff\xd8\xff\xe0", "a JPEG image of a kind that is not read"),
    ],
)
def test_files_that_are_not_images_are_recognised(head: bytes, message: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "bad", GREY, "png")
    (folder / "a" / "x.jpg").write_bytes(head)
    with pytest.raises(DataError, match=rf"a/x\.jpg \({message}"):
        loaded(folder)


def test_ranges() -> None:
    assert usual_range(Extremes(0, 1, whole=True)) == (0, 1)
    assert usual_range(Extremes(-5, 300, whole=True)) == (-5, 300)
    assert usual_range(Extremes(0, 40.5, whole=False)) == (0, 40.5)
    assert usual_range(Extremes(0, 200.5, whole=False)) == (0, 255)
    assert usual_range(Extremes(-0.5, 1, whole=False)) == (-1, 1)
    assert as_bytes(np.array([0, 1]), (0, 1)).tolist() == [0, 255]
    assert as_bytes(np.array([-3, 0, 4095, 9000]), (0, 4095)).tolist() == [0, 0, 255, 255]
