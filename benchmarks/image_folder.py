"""MNIST as 60,000 PNG files: this product's `image_folder`, beside torchvision's ImageFolder with a DataLoader.

    python -m benchmarks.image_folder [--quick] [--json FILE]

Both train the same network of one hidden layer on all images, batch 64, plain SGD, one thread; the DataLoader has a
worker for each core, which stay for both epochs. The first epoch of this product includes decoding all images into
its cache, and the next run finds them there. With --quick there are 6,000 images.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import MNIST, ImageFolder

from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from core.config import schema as configuration
from core.control import RunControl
from core.data.registry import load
from core.devices import available_cores
from core.events import EpochFinished, Event
from core.models.registry import build
from core.training.context import TrainingContext
from core.training.engine import train

BATCH, RATE, UNITS = 64, 0.1, 100
QUICK_IMAGES = 6_000
FIRST, SECOND, NEXT = "first epoch", "second epoch", "first epoch of the next run"


def main() -> None:
    """Print both tables."""
    given = options(__doc__.splitlines()[0])
    with mnist_root() as (root, what), tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        count = write_images(MNIST(str(root)), folder, QUICK_IMAGES if given.quick else None)
        torch.set_num_threads(1)
        times = in_turns([lambda: ours(folder), lambda: theirs(folder)], 1 if given.quick else 3)
    tables = []
    for title, names in ((FIRST, (FIRST, NEXT)), (SECOND, (SECOND,))):
        chosen = {name: taken for name, taken in times.items() if name.partition(", ")[2] in names}
        table = rows(chosen, f"ImageFolder, {title}", {})
        print_table(f"{count:,} PNG of {what}: {title}", table)
        tables += table
    write(given.json, f"{count} PNG of {what}", tables)


def write_images(source: MNIST, folder: Path, most: int | None) -> int:
    """Write the training images as PNG, a folder a class, and a test set of 20; how many were written."""
    numbers = range(most or len(source.data))
    for part, chosen in (("train", numbers), ("test", numbers[:20])):
        for number in chosen:
            place = folder / part / str(int(source.targets[number]))
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(source.data[number].numpy()).save(place / f"{number:05}.png")
    return len(numbers)


def processor_time() -> float:
    """Return the processor time of this process and of all that it started, in seconds."""
    took = os.times()
    living = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(took[:4]) + sum(child.user + child.system for child in living)


def ours(folder: Path) -> Mapping[str, Took]:
    """Two epochs from nothing, and one of a run that finds the cache."""
    with tempfile.TemporaryDirectory() as root:
        first, second = epochs_of(folder, Path(root), 2)
        (again,) = epochs_of(folder, Path(root), 1)
    times = {FIRST: first, SECOND: second, NEXT: again}
    return {f"image_folder, {name}": took for name, took in times.items()}


def epochs_of(folder: Path, root: Path, epochs: int) -> list[Took]:
    """Return the seconds of each epoch of a run, the first one with all that comes before it."""
    sections = {
        "data": {"name": "image_folder", "path": str(folder), "validation": 0},
        "model": {"name": "mlp", "hidden": [UNITS]},
        "optimizer": {"name": "sgd", "lr": RATE},
        "training": {"epochs": epochs, "batch_size": BATCH},
    }
    watch, times = Stopwatch(processor_time), []

    def emit(event: Event) -> None:
        nonlocal watch
        if isinstance(event, EpochFinished):
            times.append(watch.took())
            watch = Stopwatch(processor_time)

    config = configuration.from_dict(sections)
    data = load(config.data, root)
    model = build(config.model, data, seed=0)
    keep = type("Nothing", (), {"save": lambda self, state, kind: None})()
    cpu = torch.device("cpu")
    train(config, data, model, TrainingContext(cpu), emit=emit, control=RunControl(), checkpoints=keep)
    return times


def theirs(folder: Path) -> Mapping[str, Took]:
    """Two epochs of the usual loop."""
    watch, times = Stopwatch(processor_time), {}
    prepare = transforms.Compose(
        [transforms.Grayscale(), transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)]
    )
    loader = DataLoader(
        ImageFolder(str(folder / "train"), prepare),
        BATCH,
        shuffle=True,
        num_workers=available_cores(),
        persistent_workers=True,
    )
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, UNITS), nn.ReLU(), nn.Linear(UNITS, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    for name in (FIRST, SECOND):
        for inputs, targets in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
        times[f"ImageFolder, {name}"] = watch.took()
        watch = Stopwatch(processor_time)
    return times


if __name__ == "__main__":
    main()
