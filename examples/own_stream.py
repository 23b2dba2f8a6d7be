"""A data set that is read while a network trains: `tui` makes fresh random shifts and noise in each epoch.

tui train --data examples/own_stream.py:make --epochs 3
tui train --data examples/own_stream.py:make --set data.workers=2 --epochs 3
tui train --data examples/own_stream.py:lines --epochs 3
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset

SIZE = 12


class Bars(Dataset[tuple[torch.Tensor, int]]):
    """Small pictures of a bar that lies (class 0) or stands (class 1), each time somewhere else."""

    classes = ("lies", "stands")

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        kind = index % 2
        picture = 0.3 * torch.rand(1, SIZE, SIZE)  # from PyTorch's, NumPy's or Python's own generator
        place = int(torch.randint(SIZE, ()))
        bar = picture[0, place] if kind == 0 else picture[0, :, place]
        bar += 0.7
        return picture, kind


class Lines(IterableDataset[tuple[np.ndarray, int]]):
    """Rows that come one after the other, as from a file or a socket."""

    def __init__(self, samples: int) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        for number in range(self.samples):
            row = np.sin(np.arange(8) * (1 + number % 3)).astype(np.float32)
            yield row + 0.2 * np.random.rand(8).astype(np.float32), number % 3


def make(samples: int = 600) -> dict[str, Bars]:
    """Pictures to train on, and others to validate and to test with."""
    return {"train": Bars(samples), "validation": Bars(samples // 5), "test": Bars(samples // 5)}


def lines(samples: int = 600) -> Lines:
    """A stream, of which some rows are held out."""
    return Lines(samples)
