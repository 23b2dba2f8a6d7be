"""Several processes of one run: torchtui's engine beside DDP as PyTorch's tutorial writes it.

    python -m benchmarks.processes [--quick] [--json FILE]

All train a perceptron, or a small convolutional network, on the same random pictures from memory, with SGD,
cross-entropy and batches of 64 in all; on processors, by gloo, one thread in each process. The loop of the tutorial
(https://docs.pytorch.org/tutorials/intermediate/ddp_tutorial.html) takes a DataLoader with a DistributedSampler. Both
train in the same processes, in turns; times are those of the first one.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from benchmarks.harness import Row, Stopwatch, Took, options, print_table, rows, write
from core.config import schema as configuration
from core.control import RunControl
from core.counting import counted
from core.data.dataset import Dataset
from core.events import EpochFinished, Event
from core.processes.launcher import Launcher
from core.runs.checkpoints import State
from core.runs.code import trust_config
from core.session.preparation import prepare
from core.training.context import TrainingContext
from core.training.distributed import Group, process_group
from core.training.engine import train

SAMPLES, SIZE, CLASSES, BATCH, LR = 4_096, 16, 10, 64, 0.01
TUTORIAL, ENGINE = "DDP as in the tutorial", "torchtui"
BUDGETS = {ENGINE: 1.05}
NETWORKS = {"mlp": {"name": "mlp", "hidden": [256, 256]}, "cnn": {"name": "cnn"}}
DATA = f"""
import torch
from torch.utils.data import TensorDataset

def make():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randn({SAMPLES}, 1, {SIZE}, {SIZE}, generator=generator)
    classes = torch.arange({SAMPLES}) % {CLASSES}
    few = TensorDataset(pictures[:64], classes[:64])
    return {{"train": TensorDataset(pictures, classes), "validation": few, "test": few}}
"""


class Nowhere:
    """Takes checkpoints, and keeps none."""

    def save(self, state: State, kind: str) -> None:
        """Do nothing."""


def engine(values: State, data: Dataset, model: nn.Module, group: Group) -> Took:
    """Return the time of the second epoch: the first one warms up."""
    watches = [Stopwatch()]
    ended: list[Took] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            ended.append(watches[-1].took())
            watches.append(Stopwatch())

    config = configuration.from_dict(values)
    context = TrainingContext(torch.device("cpu"), group)
    train(config, data, model, context, emit=emit, control=RunControl(), checkpoints=Nowhere())
    return ended[-1]


def tutorial(inputs: Tensor, targets: Tensor, model: nn.Module, group: Group) -> Took:
    """Return the time of the second epoch of the tutorial's loop."""
    samples = TensorDataset(inputs, targets)
    sampler: DistributedSampler[tuple[Tensor, ...]] = DistributedSampler(samples, group.size, group.rank)
    batches = DataLoader(samples, batch_size=BATCH // group.size, sampler=sampler)
    network = DistributedDataParallel(model) if group.size > 1 else model
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    watch = Stopwatch()
    for epoch in range(2):
        sampler.set_epoch(epoch)
        watch = Stopwatch()
        for batch, wanted in batches:
            optimizer.zero_grad()
            cross_entropy(network(batch), wanted).backward()
            optimizer.step()
    return watch.took()


def measure(folder: Path, rounds: int) -> None:
    """Let both train in turns, in each of the processes that were started, and write the seconds of the first."""
    torch.set_num_threads(1)
    with process_group() as group:
        times: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for network, model in NETWORKS.items():
            values = {
                "data": {"name": "python", "path": str(folder / "pictures.py:make"), "feed": "resident"},
                "model": model,
                "optimizer": {"name": "sgd", "lr": LR},
                "training": {
                    "epochs": 2,
                    "batch_size": BATCH,
                    "threads": 1,
                    "device": "cpu",
                    "preflight": False,
                },
            }
            config = configuration.from_dict(values)
            trust_config(config)
            prepared = prepare(config, None, lambda *_: None, ranks=group)
            data, weights = prepared.data, prepared.model.state_dict()
            start = {name: value.clone() for name, value in weights.items()}
            inputs, targets = data.train.inputs, data.train.targets
            assert isinstance(inputs, Tensor)
            contestants: dict[str, Callable[[], Took]] = {
                TUTORIAL: lambda: tutorial(inputs, targets, prepared.model, group),  # noqa: B023  # called at once
                ENGINE: lambda: engine(values, data, prepared.model, group),  # noqa: B023
            }
            for number in range(rounds):
                for name in (list(contestants), list(contestants)[::-1])[number % 2]:
                    prepared.model.load_state_dict(start)
                    prepared.model.train()
                    took = contestants[name]()
                    times.setdefault(network, {}).setdefault(name, []).append((took.wall, took.processor))
    if not group.rank:
        (folder / "times.json").write_text(json.dumps(times))


def main() -> None:
    """Print a table for each network and number of processes."""
    if len(sys.argv) == 4 and sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]), int(sys.argv[3]))
        return
    given = options(__doc__ or "")
    everything: list[Row] = []
    for processes in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "pictures.py").write_text(DATA)
            command = [sys.executable, "-m", "benchmarks.processes", "--measure", name, str(given.rounds)]
            environment = {**os.environ, "TUI_CONFIG": str(folder / "settings.json")}
            if Launcher(command, processes, environment=environment).run():
                raise RuntimeError("a process failed")
            times = json.loads((folder / "times.json").read_text())
        for network, taken in times.items():
            table = rows(
                {who: [Took(*each) for each in took] for who, took in taken.items()}, TUTORIAL, BUDGETS
            )
            title = (
                f"{network}, an epoch of {SAMPLES:,} pictures, {counted(processes, 'process', 'processes')}"
            )
            print_table(title, table)
            print(
                f"  {', '.join(f'{row.name}: {SAMPLES / row.seconds:,.0f} samples a second' for row in table)}"
            )
            everything += [replace(row, name=f"{network}, {processes}: {row.name}") for row in table]
    write(given.json, "an epoch in one and in two processes", everything)


if __name__ == "__main__":
    from core.torchrun import ends_without_finalizing

    with ends_without_finalizing():
        main()
