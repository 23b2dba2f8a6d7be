"""Folders of images that are decoded while a network trains give what the decoded images give."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset
from core.data.fingerprint import fingerprint, same
from core.data.registry import load
from core.data.stream.batches import batches_of
from core.data.stream.rows import StreamedRows
from core.errors import DataError
from core.events import Notice
from tests.support.own_data import write_image_folder

CPU = torch.device("cpu")
LABELS = np.arange(40) % 4
COLOUR = np.random.default_rng(0).integers(0, 256, (40, 9, 7, 3)).astype(np.uint8)


def described(folder: Path, **fields: Any) -> dict[str, Any]:
    return {"name": "image_folder", "path": str(folder), **fields}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 images in 4 classes, among them two grey ones of 16 bits, one of two pictures, and one that is cut."""
    folder = write_image_folder(tmp_path / "mine", COLOUR, LABELS)
    deep = (COLOUR[..., 0].astype(np.uint16) * 13)[:2]
    for place, values in enumerate(deep):
        Image.fromarray(values).save(folder / str(place) / "deep.png")
    pages = [Image.fromarray(image) for image in COLOUR[:2]]
    pages[0].save(folder / "2" / "pages.gif", save_all=True, append_images=pages[1:])
    whole = (folder / "3" / "00003.png").read_bytes()
    (folder / "3" / "cut.png").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Dataset]:
    def loaded(folder: Path, **fields: Any) -> Dataset:
        config = configuration.from_dict({"data": described(folder, **fields)})
        return load(config.data, tmp_path / "root")

    return loaded


Loaded = Callable[..., Dataset]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_streamed_images_are_those_that_were_decoded(workers: int, folder: Path, loaded: Loaded) -> None:
    fields = {"on_error": "skip", "workers": workers}
    resident, streamed = (loaded(folder, feed=feed, **fields) for feed in ("resident", "stream"))
    assert isinstance(streamed.train.inputs, StreamedRows)
    assert "streamed, as data.feed says" in streamed.notes[0]
    assert streamed.notes[1:] == resident.notes
    assert torch.equal(resident.mean, streamed.mean)
    assert torch.equal(resident.std, streamed.std)
    assert same(fingerprint(resident), fingerprint(streamed))
    order = torch.randperm(len(resident.train), generator=torch.Generator().manual_seed(1))
    for split in resident.splits:
        one, other = (
            [*batches_of(data.splits[split], data, CPU).iterate(8, order if split == "train" else None)]
            for data in (resident, streamed)
        )
        assert len(one) == len(other)
        for batch, same_batch in zip(one, other, strict=True):
            assert torch.equal(batch.inputs, same_batch.inputs)
            assert torch.equal(batch.targets, same_batch.targets)


@pytest.mark.slow
def test_a_streamed_run_ends_with_the_weights_of_a_resident_one_also_when_it_was_stopped(
    folder: Path, train_run: Callable[..., Any]
) -> None:
    def values(feed: str) -> dict[str, Any]:
        data = described(folder, on_error="skip", feed=feed, augment=["flip"], workers=0)
        return {
            "data": data,
            "model": {"name": "mlp", "hidden": [8]},
            "training": {"epochs": 2, "batch_size": 8},
        }

    def stop(control: RunControl, model: object) -> None:
        control.stop()

    resident = train_run(values("resident"))
    stopped = train_run(values("stream"), at_step=(2, stop))
    resumed = train_run(run=stopped.run)
    assert any("images are streamed" in event.message for event in stopped.told(Notice))
    for name, weight in resident.weights("last").items():
        assert torch.equal(weight, resumed.weights("last")[name])
    of_test = (run.run.evaluation_folder("test") / "report.json" for run in (resident, resumed))
    assert len({path.read_text() for path in of_test}) == 1


def test_images_that_cannot_be_read_are_found_before_and_later(folder: Path, loaded: Loaded) -> None:
    with pytest.raises(DataError, match=r"1 of 44 images cannot be read: 3/cut\.png .*on_error"):
        loaded(folder, feed="stream")
    data = loaded(folder, feed="stream", on_error="skip", workers=1)
    for file in folder.glob("1/*.png"):
        file.write_text("no image")
    with pytest.raises(DataError, match=r"1/.*\.png cannot be read any more: not an image"):
        list(batches_of(data.train, data, CPU).iterate(8))


def test_images_of_one_value_are_refused(tmp_path: Path, loaded: Loaded) -> None:
    blank = write_image_folder(tmp_path / "blank", np.full((20, 4, 4), 7, np.uint8), np.arange(20) % 2)
    with pytest.raises(DataError, match="all images are of the one value 7"):
        loaded(blank, feed="stream")


def test_images_are_streamed_where_the_decoded_ones_do_not_fit_on_the_disk(
    folder: Path, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 100})()
    monkeypatch.setattr("core.data.images.folder_cache.shutil.disk_usage", lambda path: full)
    data = loaded(folder, on_error="skip")
    assert isinstance(data.train.inputs, StreamedRows)
    assert "has 0.0 GiB left; data.feed=resident decodes them" in data.notes[0]
    with pytest.raises(DataError, match=r"decoded, the images take .* set data\.feed to stream"):
        loaded(folder, on_error="skip", feed="resident")
