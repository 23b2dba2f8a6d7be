"""Meaning of folders: splits, classes, masks, parts of the data; and what they are refused for."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.config import schema as configuration
from core.data.images.folder_listing import list_images
from core.data.images.folder_names import names_masks, split_of
from core.data.images.image_folder import ImageFolder
from core.data.registry import load
from core.errors import DataError
from tests.support.image_files import list_of, write
from tests.support.narrow import instance

TWO = ("a", "b")


def each(*tops: str) -> list[str]:
    """Both classes in each of these folders."""
    return [f"{top}/{label}" for top in tops for label in TWO]


@pytest.mark.parametrize(
    ("folders", "splits", "note"),
    [
        (each("training_set", "test_set"), (8, 0, 8), "splits: train from training_set, test from test_set"),
        (
            each("seg_train/seg_train", "seg_test/seg_test"),
            (8, 0, 8),
            "splits: train from seg_train, test from seg_test",
        ),
        (each("train2017", "val2017"), (8, 8, 0), "splits: train from train2017, validation from val2017"),
        (each("train", "dev", "eval"), (8, 8, 8), "validation from dev, test from eval"),
        (each("train", "eval"), (8, 8, 0), "validation from eval"),
        (
            each("TrainImages", "TestImages"),
            (8, 0, 8),
            "splits: train from TrainImages, test from TestImages",
        ),
        (each("birds_train", "birds_test"), (8, 0, 8), "splits: train from birds_train"),
        (each("Train", "Valid", "Test"), (8, 8, 8), ""),
        (["a/train", "a/test", "b/train", "b/test"], (8, 0, 8), "splits: from test, train within each class"),
        (
            each("fold1", "fold2", "fold3"),
            (24, 0, 0),
            "classes: a, b, merged from fold1, fold2, fold3, each of which",
        ),
        (each("subject01", "subject02"), (16, 0, 0), "classes: a, b, merged from subject01, subject02"),
        (each("train/p1", "train/p2", "test/p3", "test/p4"), (16, 0, 16), "merged from p1, p2"),
        (each("photos"), (8, 0, 0), "classes: from the folders in photos"),
        (
            each("data/photos/train", "data/photos/test"),
            (8, 0, 8),
            "classes: from the folders in data/photos",
        ),
        (each("train", "train_masks"), (8, 0, 0), "left out train_masks: masks of the images beside"),
        (each("images", "masks"), (8, 0, 0), "left out masks: masks of the images beside"),
        ([*each("train"), "test1"], (8, 0, 0), "left out 4 images of test1, which has no folders of classes"),
        (
            [*each("train"), "test/test"],
            (8, 0, 0),
            "left out 4 images of test, which has no folders of classes",
        ),
        ([*each("train", "test"), "test-more_fruits"], (8, 0, 8), "left out test-more_fruits beside"),
        ([*TWO, "@eaDir/x", "__MACOSX/a", ".cache"], (8, 0, 0), ""),
        (["a/deep/deeper", "b/deep/deeper"], (8, 0, 0), ""),
    ],
)
def test_folders_are_understood(
    folders: list[str], splits: tuple[int, ...], note: str, tmp_path: Path
) -> None:
    listing = list_of(write(tmp_path, folders))
    assert listing.class_names == TWO
    assert tuple(len(listing.parts.get(split, ())) for split in ("train", "validation", "test")) == splits
    for at, file in zip(listing.targets, listing.files, strict=True):
        assert TWO[at] in file.split("/"), "each image has the class of its folder"
    assert any(note in line for line in listing.notes) if note else listing.notes == ()


@pytest.mark.parametrize(
    "names",
    [
        ("control", "test"),
        ("bus", "car", "train"),
        ("with_mask", "without_mask"),
        ("mask", "no_mask"),
        ("dev", "ops"),
    ],
)
def test_classes_may_be_named_like_splits_and_masks(names: tuple[str, ...], tmp_path: Path) -> None:
    assert list_of(write(tmp_path, names)).class_names == names


def test_tables_and_nearly_equal_classes_are_reported(tmp_path: Path) -> None:
    write(tmp_path, ["Cat", "cat", "dog"])
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert list_of(tmp_path).notes == (
        "not used: notes.csv; give one as data.path to take labels from it",
        "classes that differ by upper and lower case or blanks alone: Cat, cat",
    )


def test_a_layout_that_is_asked_for_is_not_inferred(tmp_path: Path) -> None:
    write(tmp_path, each("train", "test"))
    assert list_of(tmp_path, layout="classes").class_names == ("test", "train")
    write(tmp_path / "years", ["cat/2019", "cat/2020", "dog/2019", "dog/2020"])
    assert list_of(tmp_path / "years", layout="classes").class_names == ("cat", "dog")
    assert list_of(tmp_path / "years", layout="nested").class_names == ("2019", "2020")


def test_links_within_the_folder_bring_no_image_twice(tmp_path: Path) -> None:
    root = write(tmp_path / "mine", TWO)
    (root / "a" / "up").symlink_to(root, target_is_directory=True)
    (root / "a" / "above").symlink_to(tmp_path, target_is_directory=True)
    (root / "again").symlink_to(root / "b", target_is_directory=True)
    write(tmp_path / "elsewhere", [""])
    (root / "c").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    listing = list_of(root)
    assert (listing.class_names, len(listing.files)) == (("a", "b", "c"), 12)
    assert len([note for note in listing.notes if "link" in note]) == 3


def test_masks_beside_their_images_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, TWO)
    write(tmp_path, TWO, name="{at}_mask.png")
    write(tmp_path, ["b"], count=1, name="face mask.png")
    listing = list_of(tmp_path)
    assert len(listing.files) == 9
    assert listing.notes[0].startswith(
        "left out 4 masks beside the images of a, by their names, such as a/0_mask.png"
    )


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["only"], "holds the one class only"),
        (["train", "val"], "train holds 4 images but no folders of classes"),
        (each("val", "test"), "test, val are named like splits, but which of them is train is not clear"),
        (each("train1", "train2"), "both train1 and train2 could be the train split"),
        (["train_a", "train_b"], "train_a, train_b are named like splits"),
        (["fold1", "fold2"], "fold1, fold2 are named like parts of the data"),
        (
            ["cat/2019", "cat/2020", "dog/2019", "dog/2020"],
            r"cat, dog hold the same folders, 2019, 2020, and .*layout",
        ),
        ([*each("train", "test"), "test/c"], "test has the class c, which train lacks"),
        (["images", "masks"], r"It looks like segmentation \(masks in masks\)"),
        (["JPEGImages", "SegmentationClass", "SegmentationObject"], "It looks like segmentation"),
    ],
)
def test_what_is_not_clear_is_refused(folders: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        list_of(write(tmp_path, folders))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "files", "message"),
    [
        (["train2017", "val2017"], ["annotations/instances_train2017.json"], "object detection .COCO"),
        (["JPEGImages"], ["Annotations/0.xml"], "object detection .PASCAL VOC"),
        (["images/train", "images/val"], ["labels/train/0.txt", "data.yaml"], "object detection .YOLO"),
        ([], ["yes/0.wav", "no/0.wav"], r"2 audio files \(\.wav\)\. Sound is not read: compute spectrograms"),
        ([], ["train.csv", "test.csv"], r"2 table files \(\.csv\)\. Give a table itself as data\.path"),
        (
            [],
            ["dataset_info.json", "state.json", "data-00000-of-00001.arrow"],
            r"1 Arrow file .*package datasets",
        ),
        ([], ["ill/0.dcm", "well/0.dcm"], r"2 DICOM files \(\.dcm\)\. DICOM is not read: save the slices"),
        ([], ["a/0.npy", "b/0.npy"], r"2 NumPy files .* in one \.npz file"),
        ([], ["a/0.txt", "b/0.txt"], r"2 text files .* one \.csv file"),
        ([], ["a/0.svg"], r"1 SVG file .* save them as PNG"),
        ([], ["a/0.mp4"], r"1 video file .* save the frames"),
    ],
)
def test_other_data_is_named(images: list[str], files: list[str], message: str, tmp_path: Path) -> None:
    write(tmp_path, images)
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"0")
    with pytest.raises(DataError, match=message):
        list_of(tmp_path)


def test_images_without_an_ending_are_recognised(tmp_path: Path) -> None:
    for name in TWO:
        (tmp_path / name).mkdir()
        Image.new("L", (2, 2)).save(tmp_path / name / "0", "jpeg")
    with pytest.raises(DataError, match=r"0 is a JPEG image\. Give the files an ending, such as \.jpg"):
        list_of(tmp_path)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_of_images_is_named(kind: str, tmp_path: Path) -> None:
    write(tmp_path / "photos", TWO)
    archive = Path(shutil.make_archive(str(tmp_path / "photos"), kind, tmp_path / "photos"))
    config = configuration.from_dict({"data": str(archive)})
    with pytest.raises(DataError, match=rf"{archive.name} is an archive\. Unpack it"):
        list_images(instance(ImageFolder, config.data))


@pytest.mark.parametrize("name", ["cut.tar.gz", "cut.tgz", "cut.zip"])
def test_a_damaged_archive_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08\0" if "gz" in name else b"PK\3\4")
    with pytest.raises(DataError, match=rf"{name} .*Unpack it"):
        load(configuration.from_dict({"data": str(tmp_path / name)}).data, tmp_path / "root")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("training_set", ("train", ())),
        ("seg_test", ("test", ())),
        ("val2017", ("validation", ())),
        ("TestImages", ("test", ())),
        ("cats_train", ("train", ("cats",))),
        ("train_test", None),
        ("latest", None),
        ("trainer", None),
    ],
)
def test_names_of_splits(name: str, expected: Any) -> None:
    assert split_of(name) == expected


def test_names_of_masks() -> None:
    assert names_masks("masks", ["images", "masks"])
    assert names_masks("SegmentationClass", ["JPEGImages", "SegmentationClass"])
    assert names_masks("train_masks", ["train", "train_masks"])
    assert not names_masks("with_mask", ["with_mask", "without_mask"])
    assert not names_masks("labels", ["labels", "cats"])
