"""Folders of images: found, decoded once by workers, kept mapped; and what is wrong with them is told."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.config import schema as configuration
from core.data import mapped
from core.data.dataset import Dataset
from core.data.images import decoding_job
from core.data.images.decoding import out_of_reach, workers
from core.data.registry import load
from core.errors import DataError
from tests.support.killed import die, in_a_killed_process
from tests.support.own_data import write_image_folder
from tests.support.repository import REPOSITORY

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (40, 9, 7)).astype(np.uint8)
LABELS = np.arange(40) % 4


def options(folder: Path, **fields: Any) -> Any:
    return configuration.from_dict({"data": {"name": "image_folder", "path": str(folder), **fields}}).data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 grey images of 9x7 in 4 classes."""
    return write_image_folder(tmp_path / "mine", GREY, LABELS)


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Dataset]:
    def loaded(folder: Path, **fields: Any) -> Dataset:
        return load(options(folder, **fields), tmp_path / "root")

    return loaded


Loaded = Callable[..., Dataset]


def in_folder_order(data: Dataset) -> np.ndarray:
    """All images (n, channels, height, width) as they lie, class after class."""
    splits = data.splits.values()
    inputs = torch.cat([split.inputs[:] for split in splits]).numpy()
    return inputs[np.argsort(np.concatenate([split.indices for split in splits]))]


BY_CLASS = np.argsort(LABELS, kind="stable")


def test_images_and_classes_are_those_of_the_folder(folder: Path, loaded: Loaded) -> None:
    data = loaded(folder)
    assert (data.class_names, data.sample_shape) == (("0", "1", "2", "3"), (1, 9, 7))
    assert [len(split) for split in data.splits.values()] == [28, 4, 8]
    assert np.array_equal(in_folder_order(data)[:, 0], GREY[BY_CLASS])
    for split in data.splits.values():
        assert np.array_equal(split.targets, LABELS[BY_CLASS][split.indices])
    assert data.notes == ()


def test_a_path_alone_names_the_source(folder: Path) -> None:
    assert configuration.from_dict({"data": str(folder)}).data.name == "image_folder"


def test_colour_is_kept_and_can_be_asked_for(tmp_path: Path, loaded: Loaded) -> None:
    colour = RANDOM.integers(0, 256, (40, 6, 6, 3)).astype(np.uint8)
    folder = write_image_folder(tmp_path / "colour", colour, LABELS)
    assert np.array_equal(in_folder_order(loaded(folder)), colour[BY_CLASS].transpose(0, 3, 1, 2))
    assert loaded(folder, colour="grey").sample_shape == (1, 6, 6)
    grey = write_image_folder(tmp_path / "grey", GREY, LABELS)
    assert loaded(grey, colour="colour").sample_shape == (3, 9, 7)


@pytest.mark.parametrize(("size", "expected"), [(0, (9, 7)), (4, (4, 4)), (16, (16, 16))])
def test_images_are_brought_to_one_size(
    size: int, expected: tuple[int, int], folder: Path, loaded: Loaded
) -> None:
    Image.fromarray(np.zeros((30, 90), np.uint8)).save(folder / "0" / "wide.png")
    assert loaded(folder, size=size).sample_shape == (1, *expected)


def test_the_middle_is_taken_in_its_proportions(tmp_path: Path, loaded: Loaded) -> None:
    wide = np.zeros((20, 4, 12), np.uint8)
    wide[:, :, 4:8] = 100 + np.arange(20)[:, None, None]
    data = loaded(write_image_folder(tmp_path / "wide", wide, np.arange(20) % 2), size=2)
    assert np.unique(in_folder_order(data)).tolist() == list(range(100, 120))


# -- decoded once ----------------------------------------------------------------------------------------------


def told_by(told: list[tuple[str, int, int]]) -> Callable[[str, int, int], None]:
    return lambda *facts: told.append(facts)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any folder have too many images to be decoded in this process."""
    monkeypatch.setattr(decoding_job, "MAX_IN_PROCESS", 0)
    monkeypatch.setattr(decoding_job, "available_cores", lambda: 2)


@pytest.mark.usefixtures("many")
def test_workers_decode_to_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    (folder / "1" / "broken.png").write_bytes(b"no image")
    told: list[tuple[str, int, int]] = []
    asked = options(folder, on_error="skip")
    data = load(asked, tmp_path / "root", told_by(told))
    assert np.array_equal(in_folder_order(data)[:, 0], GREY[BY_CLASS])
    assert told[0] == ("decoding images", 0, 41)
    assert told[-1] == ("decoding images", 41, 41)
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert data.notes == ("left out 1 image that cannot be read: 1/broken.png (not an image)",)
    assert multiprocessing.active_children() == []


def test_images_are_decoded_once(folder: Path, tmp_path: Path, loaded: Loaded) -> None:
    first = loaded(folder)
    told: list[tuple[str, int, int]] = []
    again = load(options(folder), tmp_path / "root", told_by(told))
    assert told == []
    assert torch.equal(first.train.inputs[:], again.train.inputs[:])
    assert {path.suffix for path in (tmp_path / "root" / "image_folder").iterdir()} == {".npy", ".json"}


@pytest.mark.parametrize("change", ["touched", "added", "removed", "renamed", "other size"])
def test_a_change_in_the_folder_is_seen(change: str, folder: Path, tmp_path: Path, loaded: Loaded) -> None:
    loaded(folder)
    file = folder / "0" / "00000.png"
    if change == "touched":
        Image.fromarray(255 - GREY[0]).save(file)
        os.utime(file, ns=(1, 1))
    elif change == "added":
        Image.fromarray(GREY[0]).save(folder / "0" / "new.png")
    elif change == "removed":
        file.unlink()
    elif change == "renamed":
        file.rename(folder / "1" / "00000.png")
    told: list[tuple[str, int, int]] = []
    data = load(options(folder, size=5 if change == "other size" else 0), tmp_path / "root", told_by(told))
    assert told
    assert len(in_folder_order(data)) == {"added": 41, "removed": 39}.get(change, 40)
    kept = list((tmp_path / "root" / "image_folder").glob("*.npy"))
    assert len(kept) == (2 if change == "other size" else 1), "what the folder held before is not kept"


def test_a_damaged_cache_is_made_anew(folder: Path, tmp_path: Path, loaded: Loaded) -> None:
    loaded(folder)
    (cache,) = (tmp_path / "root" / "image_folder").glob("*.npy")
    cache.write_bytes(cache.read_bytes()[:200])
    assert np.array_equal(in_folder_order(loaded(folder))[:, 0], GREY[BY_CLASS])


@pytest.mark.parametrize("workers", [True, False])
def test_an_interruption_leaves_nothing_behind(
    workers: bool, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if workers:
        request.getfixturevalue("many")

    def interrupt(what: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(options(folder), tmp_path / "root", interrupt)
    assert list((tmp_path / "root" / "image_folder").iterdir()) == []
    assert multiprocessing.active_children() == []


def test_what_a_killed_process_decoded_is_removed(folder: Path, tmp_path: Path, loaded: Loaded) -> None:
    cache = tmp_path / "root" / "image_folder"
    in_a_killed_process(
        lambda: load(options(folder), tmp_path / "root", lambda what, done, total: die() if done else None)
    )
    assert [path.name[:10] for path in cache.iterdir()] == [".decoding-"]
    loaded(folder)
    assert {path.suffix for path in cache.iterdir()} == {".npy", ".json"}


def blocked_signals() -> set[signal.Signals]:
    """Return the signals that the calling process blocks."""
    return {signal.Signals(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


@pytest.mark.heavy
def test_ctrl_c_does_not_reach_workers_even_while_they_start() -> None:
    with workers(1) as pool:
        assert pool is not None
        with out_of_reach():
            answer = pool.submit(blocked_signals)
        assert signal.SIGINT in answer.result()
    assert signal.SIGINT not in blocked_signals()


IN_AN_APP = """
import io, os, sys
from core.data.images.decoding import out_of_reach, workers

class Captured(io.StringIO):
    def fileno(self):
        return -1

sys.stderr = Captured()
with workers(1) as pool, out_of_reach():
    answer = pool.submit(os.getpid)
print(answer.result() != os.getpid(), isinstance(sys.stderr, Captured))
"""


@pytest.mark.slow
def test_workers_start_where_an_app_has_taken_stderr() -> None:
    command = [sys.executable, "-c", IN_AN_APP]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert answer.stdout == "True True\n"


def ended_from_outside(*task: Any) -> None:
    """Replacement of `decode_files`."""
    os._exit(9)


@pytest.mark.heavy
@pytest.mark.usefixtures("many")
def test_a_worker_that_is_ended_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding_job, "decode_files", ended_from_outside)
    with pytest.raises(DataError, match="a process that decoded images was killed from outside"):
        load(options(folder), tmp_path / "root")
    assert list((tmp_path / "root" / "image_folder").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file in the way")
    with pytest.raises(DataError, match=r"cannot keep decoded images in .*another folder for the data"):
        load(options(folder), tmp_path / "root")


def test_a_full_disk_is_told_before(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 100})()
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    with pytest.raises(DataError, match=r"decoded, the images take .* has 0 left.*data\.size"):
        load(options(folder, feed="resident"), tmp_path / "root")


def test_a_form_does_not_wait_for_many_images(
    folder: Path, tmp_path: Path, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options(folder).available(tmp_path / "root")
    monkeypatch.setattr(decoding_job, "MAX_IN_PROCESS", 10)
    assert not options(folder).available(tmp_path / "root")
    monkeypatch.setattr(decoding_job, "MAX_IN_PROCESS", 100)
    loaded(folder)
    monkeypatch.setattr(decoding_job, "MAX_IN_PROCESS", 10)
    assert options(folder).available(tmp_path / "root")


# -- rows that stay on disk ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_that_stay_on_disk_give_the_same_weights(
    folder: Path, train_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "data": {"name": "image_folder", "path": str(folder)},
        "training": {"batch_size": 8, "epochs": 2},
    }
    resident = train_run(config)
    monkeypatch.setattr(mapped, "LARGEST_RESIDENT", 0)
    on_disk = train_run(config)
    assert resident.finished.status == on_disk.finished.status == "completed"
    for key, weight in resident.weights().items():
        assert torch.equal(weight, on_disk.weights()[key])
    assert (resident.run.evaluation_folder("test") / "report.json").read_text() == (
        on_disk.run.evaluation_folder("test") / "report.json"
    ).read_text()


def test_rows_on_disk_are_indexed_as_a_tensor_is(
    folder: Path, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = loaded(folder).train.inputs
    monkeypatch.setattr(mapped, "LARGEST_RESIDENT", 0)
    on_disk = loaded(folder).train.inputs
    assert isinstance(on_disk, mapped.MappedRows)
    assert (tuple(on_disk.shape), on_disk.dtype) == (tuple(resident.shape), resident.dtype)
    assert (len(on_disk), on_disk.nbytes) == (len(resident), resident.nbytes)
    for at in (3, slice(2, 9), slice(0, 0), torch.tensor([5, 1, 1]), np.array([4, 0])):
        assert torch.equal(on_disk[at], resident[at])


def test_reading_ahead_keeps_the_order_and_the_errors() -> None:
    assert list(mapped.read_ahead(lambda n: n * n, range(5))) == [0, 1, 4, 9, 16]
    assert list(mapped.read_ahead(lambda n: n, [])) == []
    with pytest.raises(ZeroDivisionError):
        list(mapped.read_ahead(lambda n: 1 // n, [1, 0]))


# -- splits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        (("train", "val", "test"), [40, 20, 30]),
        (("Train", "Validation", "Testing"), [40, 20, 30]),
        (("train", "valid"), [32, 20, 8]),
        (("train", None, "test"), [36, 4, 30]),
    ],
)
def test_splits_may_have_folders_of_their_own(
    names: tuple[str | None, ...], sizes: list[int], tmp_path: Path, loaded: Loaded
) -> None:
    for name, count in zip(names, (40, 20, 30), strict=False):
        if name:
            write_image_folder(tmp_path / "split" / name, GREY[:count], LABELS[:count])
    data = loaded(tmp_path / "split")
    assert [len(split) for split in data.splits.values()] == sizes
    every = np.concatenate([split.indices for split in data.splits.values()])
    assert len(np.unique(every)) == len(every) == sum(sizes)


def test_a_split_has_no_class_that_train_lacks(tmp_path: Path, loaded: Loaded) -> None:
    write_image_folder(tmp_path / "split" / "train", GREY, LABELS)
    write_image_folder(tmp_path / "split" / "test", GREY, LABELS + 1)
    with pytest.raises(DataError, match="test has the class 4, which train lacks"):
        loaded(tmp_path / "split")


def test_a_split_without_classes_is_told(tmp_path: Path, loaded: Loaded) -> None:
    write_image_folder(tmp_path / "split" / "train", GREY, LABELS)
    (tmp_path / "split" / "test").mkdir()
    Image.fromarray(GREY[0]).save(tmp_path / "split" / "test" / "a.png")
    data = loaded(tmp_path / "split")
    assert [len(split) for split in data.splits.values()] == [28, 4, 8]
    assert data.notes == ("left out 1 image of test, which has no folders of classes",)


# -- what may lie in a folder ----------------------------------------------------------------------------------


def test_nested_and_hidden_and_other_files(folder: Path, loaded: Loaded) -> None:
    (folder / "0" / "deep" / "deeper").mkdir(parents=True)
    Image.fromarray(GREY[0]).save(folder / "0" / "deep" / "deeper" / "A.PNG")
    (folder / ".git").mkdir()
    (folder / "__MACOSX").mkdir()
    (folder / "0" / "._00000.png").write_bytes(b"no image")
    (folder / "0" / "notes.txt").write_text("not an image")
    (folder / "empty").mkdir()
    Image.fromarray(GREY[0]).save(folder / "loose.png")
    (folder / "0" / "back").symlink_to(folder, target_is_directory=True)
    data = loaded(folder)
    assert len(in_folder_order(data)) == 41
    assert data.class_names == ("0", "1", "2", "3")
    assert data.notes == (
        "left out the link 0/back: it leads to a folder that is read anyway",
        "left out the class empty: its folder holds no images",
        "left out 1 image that lies beside the classes",
        "left out 1 file that is not an image, the first is 0/notes.txt",
    )


def test_hostile_names(tmp_path: Path, loaded: Loaded) -> None:
    names = ["a\nb", "\x1b[31mred", os.fsdecode(b"\xff\xfe"), "[bold]", "-rf", "é" * 80]
    for name in names:
        write_image_folder(tmp_path / "odd" / name, GREY[:20], np.array([*["x\n.png"] * 1, *["y"] * 19]))
    with pytest.raises(DataError, match="hold the same folders") as caught:
        loaded(tmp_path / "odd")
    assert str(caught.value).isprintable()
    data = loaded(tmp_path / "odd", layout="classes")
    assert set(data.class_names) == {*(set(names) - {names[2]}), r"\xff\xfe"}
    json.dumps(data.class_names).encode()
    "".join(data.class_names).encode()


def test_classes_that_are_numbers_are_in_their_order(tmp_path: Path, loaded: Loaded) -> None:
    data = loaded(write_image_folder(tmp_path / "n", GREY, np.array([1, 2, 10, 9])[LABELS]))
    assert data.class_names == ("1", "2", "9", "10")


# -- what is wrong ---------------------------------------------------------------------------------------------


def broken(folder: Path) -> None:
    (folder / "0" / "zero.png").write_bytes(b"")
    (folder / "1" / "text.png").write_text("no image")
    whole = (folder / "2" / "00002.png").read_bytes()
    (folder / "2" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "3" / "gone.png").mkdir()
    (folder / "3" / "also.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))


def test_broken_images_are_listed(folder: Path, loaded: Loaded) -> None:
    broken(folder)
    with pytest.raises(DataError) as caught:
        loaded(folder)
    message = str(caught.value)
    assert (
        "4 of 44 images cannot be read: 0/zero.png (empty); 1/text.png (not an image); 2/cut.png (" in message
    )
    assert "; and 1 more. " in message
    assert "data.on_error=skip" in message


def test_broken_images_are_left_out_when_asked_for(folder: Path, loaded: Loaded) -> None:
    broken(folder)
    data = loaded(folder, on_error="skip")
    assert np.array_equal(in_folder_order(data)[:, 0], GREY[BY_CLASS])
    assert data.notes[0].startswith("left out 4 images that cannot be read: 0/zero.png (empty); ")


def one_class(folder: Path) -> None:
    for name in "123":
        (folder / name).rename(folder / f".{name}")


def no_images(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()


def no_folders(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        path.rename(folder / path.name)
    for name in "0123":
        (folder / name).rmdir()


def one_member(folder: Path) -> None:
    for path in sorted((folder / "2").iterdir())[1:]:
        path.unlink()


def nothing(folder: Path) -> None:
    no_folders(folder)
    no_images(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (one_class, "mine holds the one class 0"),
        (no_images, r"mine holds no images\. .*images end in \.apng, "),
        (no_folders, "mine holds 40 images but no folders"),
        (nothing, r"mine is empty\. Put the images of each class into a folder"),
        (one_member, r"data\.test: only one sample of 2 is left, and each class needs at least two"),
    ],
)
def test_a_folder_without_classes_is_told(
    spoil: Callable[[Path], None], message: str, folder: Path, loaded: Loaded
) -> None:
    spoil(folder)
    with pytest.raises(DataError, match=message) as caught:
        loaded(folder)
    assert "\n" not in str(caught.value)


def test_a_path_that_is_no_folder_is_told(tmp_path: Path, loaded: Loaded) -> None:
    with pytest.raises(DataError, match=r"cannot read .*nowhere: No such file"):
        loaded(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file is a file"):
        loaded(tmp_path / "file")
    with pytest.raises(DataError, match="no folder is given"):
        load(configuration.from_dict({"data": "image_folder"}).data)


def test_all_images_broken(tmp_path: Path, loaded: Loaded) -> None:
    for name in "ab":
        (tmp_path / "bad" / name).mkdir(parents=True)
        (tmp_path / "bad" / name / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match="2 of 2 images cannot be read"):
        loaded(tmp_path / "bad")
    with pytest.raises(DataError, match=r"data\.test|no image"):
        loaded(tmp_path / "bad", on_error="skip")
