"""Image sets in other formats than MNIST's: read as their makers laid them out, fetched, checked, refused."""

import gzip
import hashlib
import io
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import URLError

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.builtin import tables
from core.data.builtin.colour import Cifar10, Cifar100, Svhn
from core.data.builtin.tables import digits_rows
from core.data.builtin.vision import Emnist, torchvision_module
from core.data.dataset import Dataset, Split
from core.data.registry import load
from core.errors import DataError
from tests.support.narrow import instance
from tests.support.vision_files import SAMPLES, cifar_files, images_of, tar_of, write_idx, write_vision_root

Load = Callable[..., Dataset]
LABELS = np.arange(SAMPLES) % 10


def options(name: str, **fields: Any) -> Any:
    return configuration.from_dict({"data": {"name": name, **fields}}).data


def rows(split: Split) -> torch.Tensor:
    """The inputs, which are in memory."""
    return instance(torch.Tensor, split.inputs)


def in_order(data: Dataset) -> Split:
    """Train and validation together, as they lie in the files."""
    indices = np.concatenate([data.train.indices, data.validation.indices])
    order = torch.from_numpy(np.argsort(indices))
    inputs = torch.cat([rows(data.train), rows(data.validation)])[order]
    return Split(inputs, torch.cat([data.train.targets, data.validation.targets])[order], np.sort(indices))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn"])
def test_colour_images_are_channels_of_rows(name: str, load_data: Load) -> None:
    data = load_data(name)
    parts = SAMPLES // 5 if name == "cifar10" else SAMPLES
    labels = np.arange(parts) % 10
    samples = in_order(data)
    assert np.array_equal(samples.targets[:parts], labels)
    assert np.array_equal(samples.inputs[:parts], images_of(labels, (3, 32, 32)))
    assert data.mean.shape == (3, 1, 1)


def test_kuzushiji_has_its_own_folder_and_names(load_data: Load) -> None:
    assert load_data("kmnist").class_names == ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def test_emnist_is_turned_upright(load_data: Load) -> None:
    data = load_data("emnist")
    assert len(data.class_names) == 47
    assert data.class_names[:11] == (*"0123456789", "A")
    assert np.array_equal(rows(in_order(data))[:, 0], images_of(LABELS, (28, 28)).transpose(0, 2, 1))


def test_the_letters_of_emnist_begin_at_a(tmp_path: Path) -> None:
    labels = np.arange(52) % 26 + 1
    for part in ("train", "test"):
        write_idx(tmp_path / f"EMNIST/raw/emnist-letters-{part}-images-idx3-ubyte", np.zeros((52, 28, 28)))
        write_idx(tmp_path / f"EMNIST/raw/emnist-letters-{part}-labels-idx1-ubyte", labels)
    data = load(options("emnist", subset="letters", validation=0), tmp_path)
    assert data.class_names == tuple("abcdefghijklmnopqrstuvwxyz")
    assert np.array_equal(data.test.targets, labels - 1)
    assert not options("emnist").available(tmp_path), "another subset lies there"


def test_the_class_of_cifar100_is_the_second_label(load_data: Load) -> None:
    data = load_data("cifar100")
    assert int(data.test.targets.max()) == 9, "the first label byte, the coarse class, is 19 everywhere"
    assert data.class_names[:2] == ("class0", "class1")


def test_the_digit_0_of_svhn_is_class_0(load_data: Load) -> None:
    data = load_data("svhn")
    assert np.array_equal(data.test.targets[:11], np.arange(11) % 10)


@pytest.mark.parametrize(
    ("name", "file", "spoilt"),
    [
        ("cifar10", "CIFAR10/data_batch_3.bin", lambda content: content[:-7]),
        ("cifar10", "CIFAR10/batches.meta.txt", lambda content: b"cat\ndog\n"),
        ("cifar10", "CIFAR10/test_batch.bin", lambda content: b"\x0b" + content[1:]),
        ("cifar100", "CIFAR100/train.bin", lambda content: content[1:]),
        ("svhn", "SVHN/train_32x32.mat", lambda content: b"no matrix" * 100),
        ("svhn", "SVHN/test_32x32.mat", lambda content: content[: len(content) // 2]),
        ("emnist", "EMNIST/raw/emnist-balanced-train-labels-idx1-ubyte", lambda content: content[:-1]),
    ],
)
def test_damaged_files_are_told(
    name: str, file: str, spoilt: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    write_vision_root(tmp_path)
    (tmp_path / file).write_bytes(spoilt((tmp_path / file).read_bytes()))
    with pytest.raises(DataError, match="holds damaged files: ") as caught:
        load(options(name), tmp_path)
    assert str((tmp_path / file).parent) in str(caught.value)
    assert "Delete the folder to download it again" in str(caught.value)


class Response(io.BytesIO):
    """Response of `urlopen`."""

    headers: ClassVar[dict[str, str]] = {}


class Network:
    """Replacement of `urlopen`: one file at every address; remembers what was asked."""

    asked: ClassVar[list[str]] = []

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.asked.clear()

    def __call__(self, url: str, timeout: float) -> Any:
        self.asked.append(url)
        if self.content is None:
            raise URLError("Name or service not known")
        return Response(self.content)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("option", [Cifar10, Cifar100])
@pytest.mark.parametrize("by_hand", [False, True], ids=["downloaded", "put there by hand"])
def test_cifar_is_fetched_and_unpacked_once(
    option: type[Cifar10], by_hand: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tar_of(cifar_files(option.class_count) | {"readme.html": b"not wanted"}, "cifar-binary")
    monkeypatch.setattr(option, "md5", md5(packed))
    network = Network(None if by_hand else packed)
    monkeypatch.setattr(urllib.request, "urlopen", network)
    folder = tmp_path / option.__name__.upper()
    if by_hand:
        folder.mkdir()
        (folder / option.archive).write_bytes(packed)
    told: list[tuple[str, int, int]] = []
    data = load(option(), tmp_path, lambda *facts: told.append(facts))
    assert len(data.test) == 100
    assert told[-1][:2] == (f"downloading {option.archive}", len(packed))
    assert {path.name for path in folder.iterdir()} - {option.archive} == set(option().files())
    assert option().available(tmp_path)
    load(option(), tmp_path)
    assert len(network.asked) == (0 if by_hand else 1)


def test_one_subset_of_emnist_is_unpacked(
    tmp_path: Path, vision_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted((vision_root / "EMNIST" / "raw").iterdir()):
            archive.writestr(f"gzip/{path.name}.gz", gzip.compress(path.read_bytes()))
        archive.writestr("gzip/emnist-byclass-train-images-idx3-ubyte.gz", b"not wanted")
    from torchvision.datasets import EMNIST

    monkeypatch.setattr(EMNIST, "md5", md5(content.getvalue()))
    monkeypatch.setattr(urllib.request, "urlopen", Network(content.getvalue()))
    assert len(load(Emnist(), tmp_path).test) == 100
    assert len(list((tmp_path / "EMNIST" / "raw").iterdir())) == 4


def test_svhn_is_fetched_in_two_files(
    tmp_path: Path, vision_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (vision_root / "SVHN" / "train_32x32.mat").read_bytes()
    from torchvision.datasets import SVHN

    parts = {part: [url, name, md5(content)] for part, (url, name, _) in SVHN.split_list.items()}
    monkeypatch.setattr(SVHN, "split_list", parts)
    monkeypatch.setattr(urllib.request, "urlopen", Network(content))
    data = load(Svhn(), tmp_path)
    assert len(data.test) == SAMPLES
    assert len(Network.asked) == 2


@pytest.mark.parametrize(
    ("name", "file", "folder"),
    [
        ("cifar10", "cifar-10-binary.tar.gz", "CIFAR10"),
        ("cifar100", "cifar-100-binary.tar.gz", "CIFAR100"),
        ("emnist", "gzip.zip", "EMNIST/raw"),
        ("svhn", "train_32x32.mat", "SVHN"),
        ("kmnist", "train-images-idx3-ubyte.gz", "KMNIST/raw"),
    ],
)
def test_without_network_the_message_says_what_to_put_where(
    name: str, file: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", Network(None))
    with pytest.raises(DataError) as caught:
        load(options(name), tmp_path)
    assert str(caught.value).startswith(f"cannot download {file}: ")
    assert "Name or service not known" in str(caught.value)
    assert f"put {file} into {tmp_path / folder} or give another folder for the data" in str(caught.value)


# -- points of the plane ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["moons", "spirals"])
class TestPoints:
    def test_a_seed_gives_the_same_points(self, name: str) -> None:
        first, again, other = (load(options(name, seed=seed)) for seed in (3, 3, 4))
        assert torch.equal(rows(first.train), rows(again.train))
        assert not torch.equal(rows(first.train), rows(other.train))

    def test_noise_moves_the_points(self, name: str) -> None:
        exact, noisy = (load(options(name, noise=noise, validation=0)) for noise in (0, 0.5))
        assert float((rows(exact.train) - rows(noisy.train)).std()) > 0.3

    def test_there_are_as_many_as_asked_for(self, name: str) -> None:
        data = load(options(name, samples=50))
        assert sum(len(split) for split in data.splits.values()) == 50
        assert data.feature_names == ("x", "y")


def test_each_arm_of_the_spirals_is_a_class() -> None:
    data = load(options("spirals", arms=3, samples=300))
    assert data.class_names == ("arm 1", "arm 2", "arm 3")
    assert np.bincount(in_order(data).targets).tolist() == [80, 80, 80]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist", "emnist"])
def test_files_and_classes_are_those_of_torchvision(name: str, vision_root: Path) -> None:
    """Files on disk are read without torchvision: by the same names, to the same values."""
    ours = options(name)
    theirs = getattr(torchvision_module("datasets"), ours.torchvision_name)
    folder, more = ours.folder(vision_root), {"split": "balanced"} if name == "emnist" else {}
    images, labels = ours.read(folder, train=False)
    same = theirs(str(vision_root), train=False, **more)
    assert torch.equal(images.squeeze(1), same.data.transpose(1, 2) if more else same.data)
    assert torch.equal(labels, same.targets)
    if more:
        for subset, names in theirs.classes_split_dict.items():
            assert options(name, subset=subset).classes(folder) == tuple(
                each for each in names if each != "N/A"
            )
    else:
        assert ours.classes(folder) == tuple(each.partition(" - ")[0] for each in theirs.classes)
        assert list(ours.files()) == [Path(each).stem for each, _ in theirs.resources]


def test_digits_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their file is read without importing scikit-learn, which reads it where it lies elsewhere."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sklearn.datasets", None)
        rows = digits_rows()
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    assert np.array_equal(rows, tables.digits_rows())
