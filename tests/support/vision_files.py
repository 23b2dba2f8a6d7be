"""Tiny made-up files in the place and the format of each downloaded image set."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np

__all__ = ["SAMPLES", "TEST_SAMPLES", "cifar_files", "tar_of", "write_idx", "write_vision_root"]

SAMPLES, TEST_SAMPLES = 300, 100


def write_idx(path: Path, values: np.ndarray) -> None:
    """Write bytes in the IDX format of the MNIST files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes())


def write_vision_root(root: Path) -> None:
    """Fill a data root with 300 + 100 images of ten classes for every image set."""
    for source in ("MNIST", "FashionMNIST", "KMNIST"):
        for part, samples in (("train", SAMPLES), ("t10k", TEST_SAMPLES)):
            _write_idx_part(root / source / "raw" / part, samples)
    for part, samples in (("train", SAMPLES), ("test", TEST_SAMPLES)):
        _write_idx_part(root / "EMNIST" / "raw" / f"emnist-balanced-{part}", samples)
        _write_mat(root / "SVHN" / f"{part}_32x32.mat", samples)
    for folder, classes in (("CIFAR10", 10), ("CIFAR100", 100)):
        (root / folder).mkdir(parents=True)
        for name, content in cifar_files(classes).items():
            (root / folder / name).write_bytes(content)


def images_of(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Random images (n, *shape) in which the label can be learnt: a brighter row."""
    images = np.random.default_rng(0).integers(0, 200, (len(labels), *shape))
    images[np.arange(len(labels)), ..., labels % 10 * 2, :] += 55
    return images.astype(np.uint8)


def cifar_files(classes: int) -> dict[str, bytes]:
    """The unpacked files of CIFAR-10 or CIFAR-100 in the binary version, by name."""
    names = "\n".join(f"class{number}" for number in range(classes)) + "\n\n"
    parts: dict[str, int] = {f"data_batch_{number}.bin": SAMPLES // 5 for number in range(1, 6)}
    parts = (
        parts | {"test_batch.bin": TEST_SAMPLES}
        if classes == 10
        else {"train.bin": SAMPLES, "test.bin": TEST_SAMPLES}
    )
    files = {"batches.meta.txt" if classes == 10 else "fine_label_names.txt": names.encode()}
    for name, samples in parts.items():
        labels = np.arange(samples) % 10
        images = images_of(labels, (3, 32, 32)).reshape(samples, -1)
        coarse = [] if classes == 10 else [np.full((samples, 1), 19)]
        files[name] = np.hstack([*coarse, labels[:, None], images]).astype(np.uint8).tobytes()
    return files


def tar_of(files: dict[str, bytes], folder: str) -> bytes:
    """A packed archive of files in a folder, the same bytes each time."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(content.getvalue(), mtime=0)


def _write_idx_part(prefix: Path, samples: int) -> None:
    labels = np.arange(samples) % 10
    write_idx(Path(f"{prefix}-images-idx3-ubyte"), images_of(labels, (28, 28)))
    write_idx(Path(f"{prefix}-labels-idx1-ubyte"), labels)


def _write_mat(path: Path, samples: int) -> None:
    """In SVHN's layout: X (32, 32, 3, n), and y (n, 1) from 1 to 10, where 10 is the digit 0."""
    from scipy.io import savemat

    path.parent.mkdir(exist_ok=True)
    labels = np.arange(samples) % 10
    images = images_of(labels, (3, 32, 32)).transpose(2, 3, 1, 0)
    savemat(path, {"X": images, "y": np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)})
