"""MNIST and its like: read, fetched, checked, and refused in one clear line."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.builtin.download import as_it_is, fetch, gunzip
from core.data.dataset import Dataset
from core.data.registry import load
from core.errors import DataError
from tests.support.killed import die, in_a_killed_process
from tests.support.narrow import instance
from tests.support.repository import REPOSITORY

Writer = Callable[[Path, np.ndarray], None]

MNIST = configuration.from_dict({"data": "mnist"}).data
LABELS, IMAGES = "train-labels-idx1-ubyte", "train-images-idx3-ubyte"


@pytest.fixture
def raw(tmp_path: Path, idx_writer: Writer) -> Path:
    """MNIST's folder with 40 + 10 images in it."""
    folder = tmp_path / "MNIST" / "raw"
    for part, samples in (("train", 40), ("t10k", 10)):
        idx_writer(folder / f"{part}-images-idx3-ubyte", np.full((samples, 28, 28), 7))
        idx_writer(folder / f"{part}-labels-idx1-ubyte", np.arange(samples) % 10)
    return folder


class NoNetwork:
    """Replacement of `urlopen`: every address fails, and is remembered."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked: list[str] = []

    def __call__(self, url: str, timeout: float) -> Any:
        self.asked.append(url)
        raise self.error


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> NoNetwork:
    network = NoNetwork(URLError("Name or service not known"))
    monkeypatch.setattr(urllib.request, "urlopen", network)
    return network


def test_idx_files_are_read(raw: Path, no_network: NoNetwork) -> None:
    data = load(
        configuration.from_dict({"data": {"name": "mnist", "validation": 0.25}}).data, raw.parent.parent
    )
    assert [len(split) for split in data.splits.values()] == [30, 10, 10]
    assert data.sample_shape == (1, 28, 28)
    assert data.class_names == tuple("0123456789")
    assert int(instance(torch.Tensor, data.train.inputs).max()) == 7
    assert np.array_equal(data.train.targets.numpy(), data.train.indices % 10)
    assert no_network.asked == []


def test_fashion_mnist_has_its_own_folder_and_names(load_data: Callable[..., Dataset]) -> None:
    names = load_data("fashion_mnist").class_names
    assert (len(names), names[0], names[-1]) == (10, "T-shirt/top", "Ankle boot")


def spoil_header(raw: Path, writer: Writer) -> None:
    (raw / IMAGES).write_bytes(b"not an IDX file at all")


def cut_off(raw: Path, writer: Writer) -> None:
    (raw / IMAGES).write_bytes((raw / IMAGES).read_bytes()[:-100])


def empty(raw: Path, writer: Writer) -> None:
    (raw / LABELS).write_bytes(b"")


def one_label_less(raw: Path, writer: Writer) -> None:
    writer(raw / LABELS, np.arange(39) % 10)


def one_label_more(raw: Path, writer: Writer) -> None:
    writer(raw / LABELS, np.arange(41) % 10)


def unknown_label(raw: Path, writer: Writer) -> None:
    writer(raw / LABELS, np.arange(40))


def other_size(raw: Path, writer: Writer) -> None:
    writer(raw / IMAGES, np.zeros((40, 27, 28)))


def nothing_in_it(raw: Path, writer: Writer) -> None:
    writer(raw / IMAGES, np.zeros((0, 28, 28)))
    writer(raw / LABELS, np.zeros(0))


@pytest.mark.parametrize(
    "damage",
    [spoil_header, cut_off, empty, one_label_less, one_label_more, unknown_label, other_size, nothing_in_it],
)
def test_damaged_files_are_told(
    damage: Callable[[Path, Writer], None], raw: Path, idx_writer: Writer, no_network: NoNetwork
) -> None:
    damage(raw, idx_writer)
    with pytest.raises(DataError) as caught:
        load(MNIST, raw.parent.parent)
    assert no_network.asked == []
    if damage is not nothing_in_it:
        assert "MNIST/raw holds damaged files: " in str(caught.value)
        assert "Delete the folder to download it again" in str(caught.value)


def test_without_network_the_message_names_the_file_and_the_way_out(
    tmp_path: Path, no_network: NoNetwork
) -> None:
    with pytest.raises(DataError) as caught:
        load(MNIST, tmp_path)
    message = str(caught.value)
    assert message.startswith(f"cannot download {IMAGES}.gz: ")
    assert "Name or service not known" in message
    assert f"put {IMAGES}.gz into {tmp_path / 'MNIST' / 'raw'} or give another folder for the data" in message
    assert len(no_network.asked) > 1, "every mirror is tried"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


class Response(io.BytesIO):
    """Response of `urlopen`."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.headers = Message()


class Server:
    """Replacement of `urlopen`: serves what `answers` maps an address to."""

    def __init__(self, answers: dict[str, bytes | Exception]) -> None:
        self.answers = answers

    def __call__(self, url: str, timeout: float) -> Any:
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        response = Response(answer)
        response.headers["Content-Length"] = str(len(answer))
        return response


CONTENT = bytes(range(256)) * 1000
PACKED = gzip.compress(CONTENT, mtime=0)
MD5 = hashlib.md5(PACKED, usedforsecurity=False).hexdigest()


def test_the_first_mirror_with_the_right_file_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, bytes | Exception] = {
        "a/x.gz": URLError("down"),
        "b/x.gz": IncompleteRead(b""),
        "c/x.gz": b"a page that says there is no such file",
        "d/x.gz": PACKED[:-1] + b"?",
        "e/x.gz": PACKED,
    }
    monkeypatch.setattr(urllib.request, "urlopen", Server(answers))
    told: list[tuple[str, int, int]] = []
    fetch(
        list(answers),
        tmp_path / "raw" / "x.gz",
        md5=MD5,
        progress=lambda *facts: told.append(facts),
        unpack=gunzip,
    )
    assert (tmp_path / "raw" / "x").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["x"]
    assert told[-1] == ("downloading x.gz", len(PACKED), len(PACKED))
    assert all(what == "downloading x.gz" and done <= total for what, done, total in told)


def test_a_wrong_checksum_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", Server({"a/x.gz": PACKED + b"?"}))
    with pytest.raises(DataError, match=r"cannot download x\.gz: a/x\.gz: wrong checksum"):
        fetch(["a/x.gz"], tmp_path / "raw" / "x.gz", md5=MD5, progress=lambda *facts: None, unpack=gunzip)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_download_that_is_cut_is_not_put_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The length is known from the server, also of files without a checksum; the next attempt begins anew."""

    class Cut(Server):
        def __call__(self, url: str, timeout: float) -> Any:
            response = super().__call__(url, timeout)
            response.headers.replace_header("Content-Length", str(len(PACKED)))
            return response

    def download(answer: bytes) -> None:
        monkeypatch.setattr(urllib.request, "urlopen", Cut({"a/x": answer}))
        fetch(["a/x"], tmp_path / "raw" / "x", progress=lambda *facts: None, unpack=as_it_is)

    with pytest.raises(DataError, match=rf"cannot download x: a/x: 100 of {len(PACKED):,} bytes came"):
        download(PACKED[:100])
    assert list((tmp_path / "raw").iterdir()) == []
    download(PACKED)
    assert (tmp_path / "raw" / "x").read_bytes() == PACKED


def test_what_a_killed_download_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it is put in place: a file may be there, whole; the next attempt fetches them all."""
    monkeypatch.setattr(urllib.request, "urlopen", Server({"a/x.gz": PACKED}))
    raw = tmp_path / "raw"

    def two(packed: Path, folder: Path) -> None:
        for name in ("one", "two"):
            (folder / name).write_bytes(CONTENT)

    def download() -> None:
        fetch(["a/x.gz"], raw / "x.gz", md5=MD5, progress=lambda *facts: None, unpack=two)

    def die_at_the_first(self: Path, target: Path) -> None:
        os.rename(self, target)
        die()

    with monkeypatch.context() as killed:
        killed.setattr(Path, "replace", die_at_the_first)
        in_a_killed_process(download)
    hidden = [path for path in raw.iterdir() if path.name.startswith(".download-")]
    whole = [path for path in raw.iterdir() if path not in hidden]
    assert len(hidden) == 1
    assert [path.read_bytes() for path in whole] == [CONTENT]
    download()
    assert sorted(path.name for path in raw.iterdir()) == ["one", "two"]


def test_a_download_that_breaks_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", Server({"a/x.gz": PACKED}))

    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(["a/x.gz"], tmp_path / "raw" / "x.gz", md5=MD5, progress=interrupt, unpack=gunzip)
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", Server({"a/x.gz": PACKED}))
    (tmp_path / "raw").write_text("a file in the way")
    with pytest.raises(DataError, match="give another folder for the data"):
        fetch(["a/x.gz"], tmp_path / "raw" / "x.gz", md5=MD5, progress=lambda *facts: None, unpack=gunzip)


BROKEN_TORCHVISION = """
import importlib.abc, sys
class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
sys.meta_path.insert(0, Broken())
from core.config import schema as config
from core.data.registry import load
from core.errors import DependencyError
for name in ("digits", "iris"):
    print(len(load(config.from_dict({"data": name}).data).train))
try:
    load(config.from_dict({"data": "mnist"}).data)
except DependencyError as error:
    print(error.exit_code, error)
"""


@pytest.mark.heavy
def test_a_torchvision_that_does_not_fit_torch_costs_only_its_own_data_sets() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", BROKEN_TORCHVISION], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    digits, iris, message = answer.stdout.splitlines()
    assert (int(digits), int(iris)) == (1293, 108)
    assert message.startswith(
        "2 torchvision does not load with this torch: RuntimeError: operator torchvision"
    )
    assert "pip install --upgrade torch torchvision" in message
