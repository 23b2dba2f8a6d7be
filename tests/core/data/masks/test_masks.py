"""Images beside masks: files that belong together, values that are classes, arrays, augmentation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.arrays import IGNORED
from core.config import schema as configuration
from core.data.augment.augmenter import augmenter
from core.data.dataset import Dataset
from core.data.masks import mask_samples
from core.data.registry import load
from core.data.stream.batches import batches_of
from core.data.stream.rows import StreamedRows
from core.errors import ConfigError, DataError
from core.losses import CrossEntropy
from core.machine import Memory

N, SIZE = 30, (6, 8)
DICE = np.random.default_rng(0)
IMAGES = DICE.integers(0, 256, (N, *SIZE, 3)).astype(np.uint8)
MASKS = (IMAGES[..., 0] > 90).astype(np.uint8) + (IMAGES[..., 0] > 170)


def write(folder: Path, images: np.ndarray = IMAGES, masks: np.ndarray = MASKS, first: int = 0) -> Path:
    for name, pictures in (("images", images), ("masks", masks)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures, start=first):
            Image.fromarray(picture).save(folder / name / f"{number:03}.png")
    return folder


def loaded(path: Path, **fields: Any) -> Dataset:
    config = configuration.from_dict({"data": str(path)})
    return load(type(config.data)(**{**config.data.model_dump(), **fields}))


def pairs(data: Dataset) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Image and mask of each sample by its index."""
    return {
        int(index): (image, mask)
        for split in data.splits.values()
        for index, image, mask in zip(
            split.indices, split.inputs[:].numpy(), split.targets.numpy(), strict=True
        )
    }


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_images_have_the_masks_that_those_in_memory_have(tmp_path: Path, workers: int) -> None:
    folder = write(tmp_path)
    resident, streamed = (loaded(folder, feed=feed, workers=workers) for feed in ("resident", "stream"))
    assert isinstance(streamed.train.inputs, StreamedRows)
    assert torch.equal(streamed.mean, resident.mean)
    assert torch.equal(streamed.std, resident.std)
    assert (
        streamed.notes[0]
        == f"{folder.name} is streamed, as data.feed says: images are decoded anew in each epoch"
    )
    assert streamed.notes[1:] == resident.notes
    for name, split in resident.splits.items():
        other = streamed.splits[name]
        assert torch.equal(other.targets, split.targets)
        batches = (
            batches_of(each, data, torch.device("cpu")).iterate(4)
            for each, data in ((split, resident), (other, streamed))
        )
        for one, two in zip(*batches, strict=True):
            assert torch.equal(one.inputs, two.inputs)
            assert torch.equal(one.targets, two.targets)


def test_images_that_memory_has_no_room_for_are_streamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, pixels = write(tmp_path), N * SIZE[0] * SIZE[1]
    monkeypatch.setattr(mask_samples, "memory", lambda: Memory(pixels * 9, pixels * 9))
    assert "are free" in loaded(folder).notes[0]
    with pytest.raises(DataError, match="the images and masks take"):
        loaded(folder, feed="resident")
    monkeypatch.setattr(mask_samples, "memory", lambda: Memory(pixels * 3, pixels * 3))
    with pytest.raises(DataError, match="the masks take"):
        loaded(folder)


def test_a_folder_of_images_beside_one_of_masks(tmp_path: Path) -> None:
    data = loaded(write(tmp_path))
    assert (data.name, data.task, data.kind) == ("mask_folder", "segmentation", "image")
    assert data.class_names == ("0", "1", "2")
    assert (data.outputs, data.sample_shape, data.sample.places) == (3, (3, *SIZE), SIZE)
    for index, (image, mask) in pairs(data).items():
        assert np.array_equal(image, IMAGES[index].transpose(2, 0, 1))
        assert np.array_equal(mask, MASKS[index])
    assert [len(split) for split in data.splits.values()] == [21, 3, 6]
    assert sum(data.class_counts) == 21 * SIZE[0] * SIZE[1]


def test_splits_that_the_folders_tell(tmp_path: Path) -> None:
    for at, split in enumerate(("train", "val", "test")):
        rows = slice(10 * at, 10 * at + 10)
        write(tmp_path / split, IMAGES[rows], MASKS[rows])
    data = loaded(tmp_path)
    for at, part in enumerate(data.splits.values()):
        assert np.array_equal(part.targets.numpy(), MASKS[10 * at : 10 * at + 10])


def test_splits_inside_both_folders(tmp_path: Path) -> None:
    for name, pictures in (("images", IMAGES), ("masks", MASKS)):
        for split, rows in (("train", slice(0, 24)), ("test", slice(24, None))):
            (tmp_path / name / split).mkdir(parents=True)
            for number, picture in enumerate(pictures[rows]):
                Image.fromarray(picture).save(tmp_path / name / split / f"{number}.png")
    data = loaded(tmp_path)
    assert len(data.test) == 6
    assert len(data.train) + len(data.validation) == 24


def test_pixels_of_255_count_nowhere_beside_other_classes(tmp_path: Path) -> None:
    masks = MASKS.copy()
    masks[:, 0] = 255
    data = loaded(write(tmp_path, masks=masks))
    assert data.class_names == ("0", "1", "2")
    assert all((mask[0] == IGNORED).all() for _, mask in pairs(data).values())
    assert any("pixels of 255 count nowhere" in note for note in data.notes)
    assert sum(data.class_counts) == 21 * (SIZE[0] - 1) * SIZE[1]


def test_black_and_white_masks_have_two_classes(tmp_path: Path) -> None:
    data = loaded(write(tmp_path, masks=(MASKS > 0).astype(np.uint8) * 255))
    assert data.class_names == ("0", "255")
    assert all(np.array_equal(mask, MASKS[index] > 0) for index, (_, mask) in pairs(data).items())


def test_values_far_apart_are_numbered_in_their_order_and_classes_can_be_named(tmp_path: Path) -> None:
    data = loaded(write(tmp_path, masks=np.array([0, 7, 200], dtype=np.uint8)[MASKS]))
    assert data.class_names == ("0", "7", "200")
    assert all(np.array_equal(mask, MASKS[index]) for index, (_, mask) in pairs(data).items())
    named = loaded(write(tmp_path / "other"), classes=("sky", "road", "car", "tree"))
    assert (named.class_names, named.outputs) == (("sky", "road", "car", "tree"), 4)


def test_a_palette_gives_its_places(tmp_path: Path) -> None:
    write(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        mask = Image.open(path).convert("P")
        mask.putdata(MASKS[int(path.stem)].ravel().tolist())
        mask.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
        mask.save(path)
    assert all(np.array_equal(mask, MASKS[index]) for index, (_, mask) in pairs(loaded(tmp_path)).items())


def test_a_mask_is_scaled_as_its_image_without_mixing_classes(tmp_path: Path) -> None:
    steps = np.repeat(np.repeat(MASKS, 2, axis=1), 2, axis=2)
    images = np.repeat((steps * 100)[..., None], 3, axis=3).astype(np.uint8)
    data = loaded(write(tmp_path, images, steps), size=6)
    for image, mask in pairs(data).values():
        assert set(np.unique(mask)) <= {0, 1, 2}
        assert np.array_equal(image[0], mask * 100), "both are cut and scaled alike"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: Image.new("RGB", SIZE[::-1]).save(folder / "masks" / "000.png"),
            "mode RGB, which holds",
        ),
        (
            lambda folder: Image.new("L", (3, 3)).save(folder / "masks" / "000.png"),
            "has 6x8 pixels, and its mask 3x3",
        ),
        (
            lambda folder: (folder / "masks" / "000.png").write_bytes(b"no"),
            "000.png or its mask cannot be read",
        ),
        (lambda folder: (folder / "images" / "000.jpg").write_bytes(b"no"), "000.jpg and 000.png in"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    write(tmp_path)
    change(tmp_path)
    with pytest.raises(DataError, match=message):
        loaded(tmp_path)


def test_images_without_a_mask_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "masks" / "007.png").unlink()
    data = loaded(tmp_path)
    assert len(pairs(data)) == N - 1
    assert any("left out 1 image without a mask: 007.png" in note for note in data.notes)


def test_masks_of_one_value_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hold the value 0 alone"):
        loaded(write(tmp_path, masks=np.zeros_like(MASKS)))


@pytest.mark.parametrize("channels_last", [True, False])
def test_arrays_of_images_and_masks(tmp_path: Path, channels_last: bool) -> None:
    images = IMAGES if channels_last else IMAGES.transpose(0, 3, 1, 2)
    np.savez(tmp_path / "shapes.npz", images=images, masks=MASKS.astype(np.int64)[..., None])
    data = loaded(tmp_path / "shapes.npz")
    assert (data.task, data.sample_shape) == ("segmentation", (3, *SIZE))
    for index, (image, mask) in pairs(data).items():
        assert np.array_equal(image, IMAGES[index].transpose(2, 0, 1))
        assert np.array_equal(mask, MASKS[index])


def test_grey_images_with_masks_are_no_signals(tmp_path: Path) -> None:
    np.savez(tmp_path / "grey.npz", x=IMAGES[..., 0], y=MASKS)
    assert loaded(tmp_path / "grey.npz").sample_shape == (1, *SIZE)


def test_arrays_with_a_test_set_of_their_own(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "own.npz", x_train=IMAGES[:20], y_train=MASKS[:20], x_test=IMAGES[20:], y_test=MASKS[20:]
    )
    assert np.array_equal(loaded(tmp_path / "own.npz").test.targets.numpy(), MASKS[20:])


@pytest.mark.parametrize("asked", [["flip:1"], ["crop:2"], ["flip", "crop:1", "colour:0.0001"]])
def test_augmentation_moves_masks_with_their_images(tmp_path: Path, asked: list[str]) -> None:
    data = loaded(write(tmp_path), augment=asked)
    images = torch.from_numpy((MASKS * 100)[:, None].repeat(3, axis=1))
    options = configuration.from_dict({"data": {"name": "mask_folder", "path": "x", "augment": asked}}).data
    augment = augmenter(options, data, CrossEntropy(), 0)(0)
    assert augment is not None
    moved, masks = augment(images, torch.from_numpy(MASKS), 0)
    known = masks != IGNORED
    assert masks.dtype == torch.uint8
    assert torch.allclose(moved[:, 0][known], 100.0 * masks[known], atol=1)
    assert (moved[:, 0][~known] < 1).all(), "what comes in from outside is black, and counts nowhere"
    assert not torch.equal(masks, torch.from_numpy(MASKS))


@pytest.mark.parametrize("asked", ["rotation", "randaugment", "mixup", "cutmix"])
def test_augmentation_that_would_leave_masks_behind_is_refused(tmp_path: Path, asked: str) -> None:
    data = loaded(write(tmp_path))
    options = configuration.from_dict({"data": {"name": "mask_folder", "path": "x", "augment": [asked]}}).data
    with pytest.raises(ConfigError, match=f"{asked} would move the pixels of images"):
        augmenter(options, data, CrossEntropy(), 0)
