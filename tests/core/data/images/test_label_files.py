"""Labels from a table beside the images, and from the names of files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import schema as configuration
from core.data.images.folder_listing import Listing, list_images
from core.data.images.image_folder import ImageFolder
from core.data.images.label_files import is_label_file
from core.data.images.name_pattern import suggest_pattern
from core.data.registry import load
from core.errors import DataError
from tests.support.image_files import list_of, write
from tests.support.narrow import instance

IDS = [f"img_{at}" for at in range(8)]
LABELS = ["cat", "dog"] * 4


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """8 images in train and 8 in test, without labels."""
    return write(tmp_path, ["train", "test"], 8, "img_{at}.png")


def table(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows] if header else rows) + "\n")
    return path


def labelled(listing: Listing) -> list[tuple[str, str]]:
    return [(file, listing.class_names[at]) for file, at in zip(listing.files, listing.targets, strict=True)]


EXPECTED = [(f"train/img_{at}.png", LABELS[at]) for at in range(8)]


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("image,label", "{id}.png"),
        ("id,label", "{id}"),
        ("", "train/{id}.png"),
        ("path,label", "/kaggle/in/train/{id}.png"),
    ],
)
def test_a_table_names_images(header: str, cell: str, kaggle: Path) -> None:
    rows = [f"{cell.format(id=id_)},{label}" for id_, label in zip(IDS, LABELS, strict=True)]
    file = table(kaggle / "train.csv", header, rows)
    config = configuration.from_dict({"data": {"name": str(file), "images": str(kaggle / "train")}})
    assert config.data.name == "image_folder"
    listing = list_images(config.data)
    assert labelled(listing) == [(name.removeprefix("train/"), label) for name, label in EXPECTED]


def test_a_table_beside_images_is_taken_for_one(kaggle: Path) -> None:
    rows = [f"train/{id_}.png,{label}" for id_, label in zip(IDS, LABELS, strict=True)]
    file = table(kaggle / "labels.csv", "file,kind", rows)
    config = configuration.from_dict({"data": str(file)})
    assert config.data.name == "image_folder"
    listing = list_images(config.data)
    assert labelled(listing) == EXPECTED
    assert "left out 8 images without a row in labels.csv" in listing.notes
    assert labelled(list_of(kaggle)) == EXPECTED, "the folder finds its table"
    plain = configuration.from_dict({"data": {"name": "csv", "path": str(file)}})
    assert plain.data.name == "csv", "it may be read as a table all the same"


def test_a_folder_of_images_stays_one_beside_tables(kaggle: Path, tmp_path: Path) -> None:
    table(kaggle / "other.csv", "a,b", ["1,2", "2,3"])
    assert configuration.from_dict({"data": str(kaggle)}).data.name == "image_folder"
    (tmp_path / "tables").mkdir()
    table(tmp_path / "tables" / "one.csv", "a,b", ["1,2", "2,3"])
    write(tmp_path / "tables", ["plots"], 2, "plot{at}.png")
    assert configuration.from_dict({"data": str(tmp_path / "tables")}).data.name == "csv"
    table(tmp_path / "tables" / "two.csv", "image,label", ["plots/plot0.png,a", "plots/plot1.png,b"])
    assert configuration.from_dict({"data": str(tmp_path / "tables")}).data.name == "image_folder"


def test_a_field_of_the_command_line_turns_a_table_into_one_of_images(kaggle: Path) -> None:
    table(kaggle / "far.csv", "id,label", [f"x{id_},{label}" for id_, label in zip(IDS, LABELS, strict=True)])
    values = configuration.set_path({}, f"data.name={kaggle / 'far.csv'}")
    assert configuration.from_dict(values).data.name == "csv"
    values = configuration.set_path(values, f"data.images={kaggle / 'train'}")
    values = configuration.set_path(values, "data.size=8")
    assert configuration.from_dict(values).data.name == "image_folder"
    with pytest.raises(
        DataError, match=r"no column of far\.csv names images in .*train; its first row starts with"
    ):
        list_images(instance(ImageFolder, configuration.from_dict(values).data))


def test_a_plain_table_stays_one(tmp_path: Path) -> None:
    file = table(tmp_path / "t.csv", "id,width,label", ["1,2,a", "2,3,b"])
    write(tmp_path, ["plots"], 1, "other{at}.png")
    assert configuration.from_dict({"data": str(file)}).data.name == "csv"


def with_columns(folder: Path, header: str, cells: list[str], **fields: Any) -> Listing:
    rows = [f"{id_}.png,{cell}" for id_, cell in zip(IDS, cells, strict=True)]
    file = table(folder / "train.csv", f"image,{header}", rows)
    return list_of(file, images=str(folder / "train"), **fields)


def test_columns_of_labels(kaggle: Path) -> None:
    listing = with_columns(kaggle, "width,species,height", [f"{at},{LABELS[at]},1" for at in range(8)])
    assert [label for _, label in labelled(listing)] == LABELS
    assert (
        "labels: from species of width, species, height, by its name; data.target names another column"
        in listing.notes
    )
    listing = with_columns(kaggle, "cat,dog", ["1,0", "0,1"] * 4)
    assert [label for _, label in labelled(listing)] == LABELS
    listing = with_columns(kaggle, "a,b", ["1,0", "1,1"] * 4, target="b")
    assert listing.class_names == ("0", "1")


@pytest.mark.parametrize(
    ("header", "cells", "fields"),
    [
        ("cat,dog", ["1,0", "1,1"] * 4, {}),
        ("cat,size,dog", ["1,7,0", "1,8,1"] * 4, {"target": ["cat", "dog"]}),
        ("label", ["cat", "cat|dog"] * 4, {}),
        ("tags", ["cat", "cat dog"] * 4, {}),
        ("label", ["cat;cat", "dog;cat"] * 4, {"task": "multilabel"}),
    ],
)
def test_several_labels_an_image(kaggle: Path, header: str, cells: list[str], fields: dict[str, Any]) -> None:
    listing = with_columns(kaggle, header, cells, **fields)
    assert (listing.task, listing.class_names) == ("multilabel", ("cat", "dog"))
    assert sorted(listing.targets.tolist()) == [[1, 0]] * 4 + [[1, 1]] * 4


def test_several_labels_an_image_are_classes_if_these_are_asked_for(kaggle: Path) -> None:
    listing = with_columns(kaggle, "label", ["cat", "cat|dog"] * 4, task="classification")
    assert (listing.task, listing.class_names) == ("binary", ("cat", "cat|dog"))
    with pytest.raises(DataError, match=r"cat is '2' in line 2 of train\.csv, and several labels are 0 or 1"):
        with_columns(kaggle, "cat,dog", ["2,0", "1,1"] * 4, target=["cat", "dog"])


def test_a_column_of_splits(kaggle: Path) -> None:
    splits = ["train"] * 4 + ["val", "val", "test", "test"]
    listing = with_columns(
        kaggle, "label,split", [f"{label},{split}" for label, split in zip(LABELS, splits, strict=True)]
    )
    assert {split: len(at) for split, at in listing.parts.items()} == {"train": 4, "validation": 2, "test": 2}


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        (
            "width,height",
            ["1,2"] * 8,
            r"data\.target: which column of train\.csv holds the labels\? It has width, height",
        ),
        ("label", ["cat"] * 8, "all labels are cat: there is nothing to classify"),
    ],
)
def test_labels_that_are_not_clear_are_refused(
    header: str, cells: list[str], message: str, kaggle: Path
) -> None:
    with pytest.raises(DataError, match=message.replace("|", r"\|")) as caught:
        with_columns(kaggle, header, cells)
    assert caught.value.hint


def test_numbers_are_predicted(kaggle: Path, tmp_path: Path) -> None:
    with_columns(kaggle, "age", [f"{at}.5" for at in range(8)])
    config = configuration.from_dict(
        {"data": {"name": str(kaggle / "train.csv"), "images": str(kaggle / "train"), "test": 0.25}}
    )
    data = load(config.data, tmp_path / "root")
    assert (data.task, data.class_names) == ("regression", ())
    assert sorted(np.concatenate([split.targets.numpy()[:, 0] for split in data.splits.values()])) == [
        at + 0.5 for at in range(8)
    ]
    assert (
        "targets: treated as numbers to predict; data.task=classification treats them as classes"
        in data.notes
    )
    few = with_columns(kaggle, "stage", ["2.0", "10.0"] * 4)
    assert few.class_names == ("2", "10"), "few whole numbers are classes, in numerical order"


def test_missing_images_are_reported(kaggle: Path) -> None:
    rows = [f"{id_}.png,{label}" for id_, label in zip([*IDS, "gone"], [*LABELS, "cat"], strict=True)]
    file = table(kaggle / "train.csv", "image,label", [*rows, "img_0.png,"])
    fields = {"images": str(kaggle / "train")}
    with pytest.raises(
        DataError, match=r"1 of 10 images in train\.csv are not in .*, the first is 'gone\.png'"
    ):
        list_of(file, **fields)
    listing = list_of(file, on_error="skip", **fields)
    assert len(listing.files) == 8
    assert "left out 1 row of train.csv whose images are not there, such as gone.png" in listing.notes
    assert "left out 1 row of train.csv without a label" in listing.notes


def test_a_table_of_labels_that_is_missing_is_named(kaggle: Path) -> None:
    with pytest.raises(DataError, match=r"data\.path: .*gone\.csv not found\. Give the table of file names"):
        list_of(kaggle / "gone.csv", images=str(kaggle / "train"))


def test_two_labels_of_one_image_are_refused(kaggle: Path) -> None:
    file = table(kaggle / "train.csv", "image,label", ["img_0.png,cat", "img_1.png,dog", "img_0.png,dog"])
    with pytest.raises(DataError, match=r"img_0\.png is cat in one row of train\.csv and dog in another"):
        list_of(file, images=str(kaggle / "train"))


def test_the_folder_called_like_the_table_is_meant_where_names_come_twice(kaggle: Path) -> None:
    rows = [f"{id_},{label}" for id_, label in zip(IDS, LABELS, strict=True)]
    file = table(kaggle / "train.csv", "id,label", rows)
    assert labelled(list_of(kaggle)) == EXPECTED
    assert labelled(list_of(file)) == EXPECTED


def test_a_first_line_that_names_an_image_is_a_row(kaggle: Path) -> None:
    rows = [f"{id_} {at % 2}" for at, id_ in enumerate(IDS)]
    listing = list_of(table(kaggle / "train.txt", "", rows))
    assert len(listing.files) == 8
    assert listing.class_names == ("0", "1")


def test_names_that_two_images_have_are_refused(kaggle: Path) -> None:
    file = table(
        kaggle / "labels.csv",
        "image,label",
        [f"{id_}.png,{label}" for id_, label in zip(IDS, LABELS, strict=True)],
    )
    with pytest.raises(
        DataError, match=r"img_0\.png is the name of both test/img_0\.png and train/img_0\.png"
    ):
        list_of(file)


def test_classes_in_names_of_files_are_offered_and_read(tmp_path: Path) -> None:
    write(tmp_path, ["train"], 4, "cat.{at}.png")
    write(tmp_path, ["train"], 4, "dog.{at}.png")
    write(tmp_path, ["test1"], 2, "{at}.png")
    offer = r"Names of files seem to hold classes: cat, dog\. Give data\.pattern={class}\.{number}"
    with pytest.raises(DataError, match=offer):
        list_of(tmp_path)
    listing = list_of(tmp_path, pattern="{class}.{number}")
    assert listing.class_names == ("cat", "dog")
    assert all(label in file for file, label in labelled(listing))
    assert "left out 2 images that data.pattern does not match: test1/0.png, test1/1.png" in listing.notes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat{}", "dog{}"], "{class}{number}"),
        (["great_pyrenees_{}", "pug_{}"], "{class}_{number}"),
        (["cat ({})", "dog ({})"], "{class} ({number})"),
        (["{}_cat", "{}_dog"], "{number}_{class}"),
        (["IMG_{}"], None),
        (["{}"], None),
    ],
)
def test_patterns_are_suggested(names: list[str], expected: str | None) -> None:
    suggested = suggest_pattern([f"{name.format(at)}.jpg" for name in names for at in range(6)])
    assert (suggested and suggested[0]) == expected


def test_a_pattern_that_is_wrong_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [""])
    with pytest.raises(DataError, match=r"data\.pattern: got 'x'.*holds {class} once"):
        list_of(tmp_path, pattern="x")
    with pytest.raises(DataError, match="matches no image in"):
        list_of(tmp_path, pattern="{class}-x")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("id", range(20), True),
        ("image_id", range(20), True),
        ("size", range(20), False),
        ("id", [n % 13 for n in range(40)], False),
        ("size", [f"{n}.png" for n in range(20)], True),
    ],
)
def test_numbers_name_images_only_where_they_number_all_rows(
    column: str, values: Sequence[object], expected: bool, tmp_path: Path
) -> None:
    write(tmp_path, ["pictures"], 20, "{at}.png")
    file = table(tmp_path / "my.csv", f"{column},colour", [f"{value},red" for value in values])
    assert is_label_file(str(file)) == expected
