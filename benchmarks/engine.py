"""One epoch of MNIST: torchtui's engine beside the loops that one writes by hand.

    python -m benchmarks.engine [--quick] [--json FILE]

All train 784-100-10 from the same weights with SGD, learning rate 0.01, cross-entropy and batches of 64, on one
thread, in shuffled order; all in one process, in turns.
"""

import copy
import dataclasses
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks import peers
from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from core.config import schema as configuration
from core.control import RunControl
from core.events import CheckpointSaved, EpochFinished, Event, RunStarted
from core.session import session
from core.session.session import Prepared

BATCH, LR, THREADS = 64, 0.01, 1
CHECKED = 10_000
BARE, TUNED, LOADER = "bare resident loop", "resident loop, tuned by hand", "DataLoader loop"
ENGINE, SAVED = "torchtui", "torchtui, until best and last are saved"
BUDGETS = {ENGINE: peers.BUDGETS["mlp"]}


def prepare(root: Path) -> Prepared:
    """The run that `tui train --no-ui` would make, without a validation split: all sides take the same steps."""
    config = configuration.from_dict(
        {
            "data": {"name": "mnist", "validation": 0},
            "model": {"name": "mlp", "hidden": [100]},
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "lr": LR},
            "training": {"epochs": 1, "batch_size": BATCH, "threads": THREADS, "device": "cpu"},
        }
    )
    return session.prepare(config, root, lambda what, done, total: None)


def engine(prepared: Prepared, inputs: Tensor, runs: Path) -> dict[str, Took]:
    """The whole product but its screen: loss, accuracy, event log, and both checkpoints."""
    fresh = dataclasses.replace(prepared, model=copy.deepcopy(prepared.model))
    times: dict[str, Took] = {}
    watch = Stopwatch()

    def emit(event: Event) -> None:
        nonlocal watch
        if isinstance(event, RunStarted):
            watch = Stopwatch()
        elif isinstance(event, EpochFinished):
            times[ENGINE] = watch.took()
        elif isinstance(event, CheckpointSaved):
            times[SAVED] = watch.took()

    ended = session.execute(fresh, session.new_run(fresh, runs), emit=emit, control=RunControl())
    if ended.status != "completed":
        raise RuntimeError(ended.error)
    check(fresh.model, inputs[:CHECKED], prepared.data.train.targets[:CHECKED])
    return times


def bare(prepared: Prepared, inputs: Tensor) -> dict[str, Took]:
    """Tensors in memory, indexed by a permutation; nothing is counted."""
    targets, model = prepared.data.train.targets, copy.deepcopy(prepared.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    watch = Stopwatch()
    order = torch.randperm(len(inputs))
    for start in range(0, len(inputs), BATCH):
        batch = order[start : start + BATCH]
        optimizer.zero_grad()
        cross_entropy(model(inputs[batch]), targets[batch]).backward()
        optimizer.step()
    took = watch.took()
    check(model, inputs[:CHECKED], targets[:CHECKED])
    return {BARE: took}


def tuned(prepared: Prepared, inputs: Tensor) -> dict[str, Took]:
    """The bare loop with what the engine knows: whole rows copied, a fused step, gradients dropped by hand."""
    targets, model = prepared.data.train.targets, copy.deepcopy(prepared.model)
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights, lr=LR, fused=True)
    watch = Stopwatch()
    order = torch.randperm(len(inputs))
    for batch in order.split(BATCH):
        for weight in weights:
            weight.grad = None
        cross_entropy(model(inputs.index_select(0, batch)), targets.index_select(0, batch)).backward()
        optimizer.step()
    took = watch.took()
    check(model, inputs[:CHECKED], targets[:CHECKED])
    return {TUNED: took}


def loader(prepared: Prepared, root: Path) -> dict[str, Took]:
    """The loop of PyTorch's quickstart: torchvision's data set through a DataLoader, not even standardised; loss and
    accuracy of every batch."""
    images = datasets.MNIST(str(root), train=True, transform=transforms.ToTensor())
    batches = DataLoader(images, batch_size=BATCH, shuffle=True)
    model = copy.deepcopy(prepared.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    watch = Stopwatch()
    total, right = 0.0, 0
    for batch, targets in batches:
        optimizer.zero_grad()
        outputs = model(batch)
        loss = cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        right += (outputs.argmax(dim=1) == targets).sum().item()
    took = watch.took()
    check(model, images.data[:CHECKED] / 255, images.targets[:CHECKED])
    return {LOADER: took}


@torch.inference_mode()
def check(model: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """Stop a comparison with a loop that does not learn."""
    accuracy = float((model(inputs).argmax(dim=1) == targets).double().mean())
    if accuracy < 0.8:
        raise RuntimeError(f"accuracy after one epoch is {accuracy:.3f}: this loop does not learn")


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    torch.set_num_threads(THREADS)
    with mnist_root() as (root, data), tempfile.TemporaryDirectory() as runs:
        prepared = prepare(root)
        train = prepared.data.train
        inputs = ((train.inputs.float() - prepared.data.mean) / prepared.data.std).flatten(1)
        contestants = [
            lambda: bare(prepared, inputs),
            lambda: engine(prepared, inputs, Path(runs)),
            lambda: tuned(prepared, inputs),
            lambda: loader(prepared, root),
        ]
        table = rows(in_turns(contestants, given.rounds), BARE, BUDGETS)
    steps = -(-len(train) // BATCH)
    title = f"one epoch of {data}, {steps} steps of 784-100-10, {THREADS} thread, {given.rounds} rounds"
    print_table(title, table)
    write(given.json, title, table, threads=THREADS, steps=steps, rounds=given.rounds)


if __name__ == "__main__":
    main()
