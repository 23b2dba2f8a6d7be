"""The MNIST files that the benchmarks read, or made-up ones of the same shape."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

__all__ = ["mnist_root"]

REPOSITORY = Path(__file__).parent.parent
SAMPLES = {"train": 60_000, "t10k": 10_000}


@contextmanager
def mnist_root() -> Iterator[tuple[Path, str]]:
    """A folder that holds ``MNIST/raw``, and what the data is: ``MNIST`` or ``made-up images``.

    ``TUI_TEST_DATA`` names the folder; by default it is ``../shared/data`` beside the repository.
    """
    root = Path(os.environ.get("TUI_TEST_DATA") or REPOSITORY / ".." / "shared" / "data").resolve()
    if (root / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        yield root, "MNIST"
        return
    print(f"  no MNIST in {root} (TUI_TEST_DATA says where it is): made-up images of the same shape instead")
    with tempfile.TemporaryDirectory() as folder:
        _make_up(Path(folder) / "MNIST" / "raw")
        yield Path(folder), "made-up images"


def _make_up(folder: Path) -> None:
    """Ten patterns under noise: as easy to tell apart as digits are."""
    random = np.random.default_rng(0)
    patterns = random.integers(0, 2, (10, 28, 28), dtype=np.uint8) * 96
    folder.mkdir(parents=True)
    for part, samples in SAMPLES.items():
        labels = random.integers(0, 10, samples, dtype=np.uint8)
        images = patterns[labels] + random.integers(0, 160, (samples, 28, 28), dtype=np.uint8)
        _write_idx(folder / f"{part}-images-idx3-ubyte", images)
        _write_idx(folder / f"{part}-labels-idx1-ubyte", labels)


def _write_idx(path: Path, values: np.ndarray) -> None:
    """Write bytes in the format of the MNIST files."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes())
