"""Data sets that are read while a network trains, as functions of a user's file."""

import os
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Sampler, get_worker_info

FEATURES, CLASSES = 4, 3
SLOW, DEADLY = 5, 6
"""Samples at which some of these data sets do something."""


class Samples(Dataset[Any]):
    """Rows whose class is their number modulo 3; with noise they differ each time that they are read."""

    def __init__(self, n: int = 60, noise: float = 0.0) -> None:
        self.n, self.noise = n, noise

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        row = torch.arange(FEATURES) * 0.25 + place % CLASSES + (place % 7) / 7
        return row + self.noise * torch.randn(FEATURES), place % CLASSES


class Images(Samples):
    """Bytes of a small picture, channels last."""

    def __getitem__(self, place: int) -> tuple[np.ndarray, int]:  # type: ignore[override]  # an array of NumPy's
        return np.full((5, 4, 3), place % CLASSES * 20 + place % 7, dtype=np.uint8), place % CLASSES


class Numbers(Samples):
    """A number to predict, one of which is far from all others."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, float]:  # type: ignore[override]  # a number
        return super().__getitem__(place)[0], 1e6 if place == 3 else place / 10 + 0.05


class Pairs(Samples):
    """A row and a small picture."""

    def __getitem__(self, place: int) -> tuple[Any, int]:
        row, target = super().__getitem__(place)
        return {"row": row, "picture": torch.full((1, 3, 3), place % 9, dtype=torch.uint8)}, target


class Sequences(Samples):
    """Steps of two numbers, of different lengths."""

    def __getitem__(self, place: int) -> tuple[Any, int]:
        return torch.arange(2 * (2 + place % 4), dtype=torch.float32).view(-1, 2) + place, place % CLASSES


class Tokens(Samples):
    """Ids, of different lengths; which they are tells the class."""

    def __getitem__(self, place: int) -> tuple[Any, int]:
        return torch.arange(3 + place % 4) % 5 + 5 * (place % CLASSES), place % CLASSES


class TokenStream(IterableDataset[Any]):
    """The same ids, one sequence after the other."""

    def __iter__(self) -> Iterator[Any]:
        return (Tokens()[place] for place in range(60))


class Labels(Samples):
    """Several labels a sample."""

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        return super().__getitem__(place)[0], torch.tensor([place % 2, place % 3 == 0, 1 - place % 2])


class Masks(Samples):
    """A small picture and a mask whose values are 0, 7 and 255, turned over at random."""

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        mask = np.zeros((4, 6), dtype=np.int64)
        mask[place % 3 : place % 3 + 2, 1:4] = 7
        mask[3, 5] = 255
        picture = torch.full((1, 4, 6), place / 9) + torch.from_numpy(mask / 8).float()
        turned = self.noise and torch.rand(()) < 0.5
        return (picture.flip(2), mask[:, ::-1]) if turned else (picture, mask)


class Soft(Samples):
    """The share of each class of a sample, and how much it counts."""

    def __init__(self, n: int = 60) -> None:
        super().__init__(n)
        self.count = np.arange(n) % 3

    def __getitem__(self, place: int) -> tuple[torch.Tensor, Any]:
        shares = torch.tensor([place % 4, 1.0, place % 5]) / (place % 4 + 1 + place % 5)
        return super().__getitem__(place)[0], shares


class Counting(Samples):
    """Samples that count by an attribute, some of which are of the class to ignore."""

    def __init__(self, n: int = 60, noise: float = 0.0) -> None:
        super().__init__(n, noise)
        self.count = np.arange(n) % 4 / 2 + 0.25

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        row, target = super().__getitem__(place)
        return row, -100 if place % 7 == 2 else target


class Drawing(Samples):
    """Draws from each kind of generator there is, its own among them."""

    def __init__(self, n: int = 60) -> None:
        super().__init__(n)
        self.own, self.old = np.random.default_rng(), np.random.RandomState()

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        drawn = [
            random.random(),
            np.random.rand(),
            float(torch.rand(())),
            self.own.random() + self.old.rand(),
        ]
        return torch.tensor(drawn, dtype=torch.float32), place % CLASSES


class Unseeded(Samples):
    """Draws from a new generator without a seed."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        return torch.tensor(np.random.default_rng().random(FEATURES)), place % CLASSES


class Stream(IterableDataset[Any]):
    """The same rows, one after the other."""

    def __init__(self, n: int = 60, noise: float = 0.0) -> None:
        self.samples = Samples(n, noise)

    def __iter__(self) -> Iterator[Any]:
        return (self.samples[place] for place in range(len(self.samples)))


class Sharding(Stream):
    """Gives each worker its share."""

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info is not None else (0, 1)
        return (self.samples[place] for place in range(first, len(self.samples), step))


class Shuffling(Stream):
    """Gives its rows in another order each time."""

    def __iter__(self) -> Iterator[Any]:
        places = [*range(len(self.samples))]
        random.shuffle(places)
        return (self.samples[place] for place in places)


class Weighted(Sampler[int]):
    """Draws with replacement, from the global generator."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[int]:
        return iter(torch.randint(self.n, (self.n,)).tolist())


class InWorkers(Samples):
    """Does something in a worker alone."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        if place == SLOW and get_worker_info() is not None:
            self.act()
        return super().__getitem__(place)

    def act(self) -> None:
        """Do it."""


class Dying(InWorkers):
    def act(self) -> None:
        os._exit(3)


class Hanging(InWorkers):
    def act(self) -> None:
        time.sleep(3600)


class Failing(InWorkers):
    def act(self) -> None:
        raise OSError("cannot identify image file")


def padded(samples: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Join rows to a batch, with a column of zeros."""
    rows = torch.stack([row for row, _ in samples])
    return torch.nn.functional.pad(rows, (0, 1)), torch.tensor([target for _, target in samples])


def without_the_last(samples: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Join a batch without its last sample, as people leave out those that cannot be read."""
    return padded(samples[: max(1, len(samples) - 1)])


def left_out() -> Any:
    return Samples(), without_the_last


def plain() -> Any:
    return Samples()


def augmented() -> Any:
    return Samples(noise=0.5)


def images() -> Any:
    return Images()


def numbers() -> Any:
    return Numbers()


def pairs() -> Any:
    return Pairs()


def sequences() -> Any:
    return Sequences()


def tokens() -> Any:
    return Tokens()


def stream_tokens() -> Any:
    return TokenStream()


def collated_pairs() -> Any:
    return Pairs(), named_rows


def named_rows(samples: list[Any]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    rows = [inputs["row"] for inputs, _ in samples]
    return {"a": torch.stack(rows), "b": torch.stack(rows)}, torch.tensor([target for _, target in samples])


def labels() -> Any:
    return Labels()


def masks() -> Any:
    return Masks()


def turned_masks() -> Any:
    return Masks(noise=1.0)


def soft() -> Any:
    return Soft()


def counting() -> Any:
    return Counting()


def counting_apart() -> Any:
    return Counting(), Counting(12), Counting(15)


def counting_slowly() -> Any:
    return SlowlyCounting(1000, noise=0.5)


def named() -> Any:
    def together(samples: list[Any]) -> Any:
        rows, targets = padded(samples)
        return {"rows": rows, "ones": torch.ones(len(rows), 2)}, targets

    return Samples(), together


def drawing() -> Any:
    return Drawing()


def unseeded() -> Any:
    return Unseeded()


def stream() -> Any:
    return Stream()


def sharding() -> Any:
    return Sharding()


def noisy_stream() -> Any:
    return Stream(noise=0.5)


def shuffling() -> Any:
    return Shuffling()


def shuffling_apart() -> Any:
    return {"train": Shuffling(), "val": Stream(12), "test": Stream(15)}


def collated() -> Any:
    return Samples(), padded


def three() -> Any:
    return Samples(noise=0.5), Samples(12, noise=0.5), Samples(15)


def loader() -> Any:
    return DataLoader(Samples(), batch_size=5, collate_fn=padded)


def sampled() -> Any:
    return DataLoader(Samples(), sampler=Weighted(60)), Samples(12), Samples(15)


def sampled_alone() -> Any:
    return DataLoader(Samples(), sampler=Weighted(60))


def dying() -> Any:
    return Dying()


def hanging() -> Any:
    return Hanging()


def failing() -> Any:
    return Failing()


class Slow(Samples):
    """Takes its time."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        time.sleep(0.002)
        return super().__getitem__(place)


class SlowlyCounting(Counting):
    """Takes its time, too."""

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        time.sleep(0.002)
        return super().__getitem__(place)


def slow() -> Any:
    return Slow(1000, noise=0.5)


class Large(Samples):
    """Pictures of 1.2 MB that are made when they are asked for; their classes are listed."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.targets = [place % CLASSES for place in range(n)]

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        return torch.full((3, 320, 320), place % CLASSES / CLASSES), place % CLASSES


def large(n: int = 60) -> Any:
    return Large(n)


class Wide(Dataset[Any]):
    """Samples of 1.2 MB that are made when they are asked for."""

    def __init__(self, total: int, first: int) -> None:
        self.total, self.first = total, first

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        drawn = torch.Generator().manual_seed(self.first + index)
        return torch.rand(300_000, generator=drawn) + index % 2, index % 2


def few_wide() -> Any:
    return Wide(32, 0), Wide(128, 1000)


def many_wide() -> Any:
    return Wide(32, 0), Wide(328, 1000)
