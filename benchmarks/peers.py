"""One epoch of MNIST: torchtui's engine beside other libraries that train.

    python -m benchmarks.peers [--quick] [--json FILE] [--cuda]

The same network, data, batches of 64 in shuffled order, SGD with learning rate 0.01 and number of threads for all; each
peer lives in a process of its own, and they take turns. Gradients by hand are the limit: what PyTorch's kernels take by
themselves. With ``--cuda`` on a GPU, in fp32 and, where a peer can, in bf16.
"""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import Row, Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root

if TYPE_CHECKING:
    from torch import Tensor, nn

PEERS = {
    "bare": ("bare resident loop", "torch"),
    "by_hand": ("gradients by hand", "torch"),
    "torchtui": ("torchtui", "torchtui"),
    "torchtui_eager": ("torchtui, without CUDA graphs", "torchtui"),
    "loop": ("loop over a DataLoader", "torch"),
    "ignite": ("PyTorch-Ignite", "pytorch-ignite"),
    "skorch_": ("skorch", "skorch"),
    "lightning_": ("Lightning", "lightning"),
    "fastai_": ("fastai", "fastai"),
    "keras_": ("Keras on torch", "keras"),
}
"""Name in the table and package, by module of `benchmarks.libraries`."""
BASELINE = PEERS["bare"][0]
BUDGETS = {"mlp": 0.70, "cnn": 0.95}
"""Largest ratio of processor time allowed to torchtui on the processor, by network."""
BATCH, LR = 64, 0.01
SAMPLES = {"mlp": 60_000, "cnn": 12_000}
ON_GPU = {"mlp": 60_000, "cnn": 60_000, "resnet18": 12_000}
"""Samples of an epoch, by network."""
HALF = {"bare", "torchtui", "torchtui_eager", "lightning_"}
ON_ONE_SIDE = {"torchtui_eager": "cuda", "by_hand": "cpu"}
"""Peers that take part on one kind of device alone."""
UNABLE = {("keras_", "resnet18")}
"""Keras builds its own networks, layer by layer."""
LEARNED = 0.3
CHECKED_BY_ITSELF = {"keras_"}


@dataclass(frozen=True)
class Contest:
    """Task of all peers: train `model` on `device`, in a precision, with a number of threads."""

    model: str
    threads: int
    samples: int
    device: str = "cpu"
    precision: str = "fp32"

    def takes(self, peer: str) -> bool:
        """Return whether a peer is one for this contest."""
        if (peer, self.model) in UNABLE or (self.precision == "bf16" and peer not in HALF):
            return False
        return self.device == ON_ONE_SIDE.get(peer, self.device)

    @property
    def budgets(self) -> dict[str, float]:
        """Largest ratio allowed, by name in the table."""
        return {PEERS["torchtui"][0]: BUDGETS[self.model]} if self.device == "cpu" else {}

    def __str__(self) -> str:
        where = f"threads {self.threads}" if self.device == "cpu" else f"GPU, {self.precision}"
        return f"{self.model}, {where}"


class Peer:
    """A process that trains two epochs at once, to see that it learns, and then one when asked to.

    Raises:
        RuntimeError: it cannot.
    """

    def __init__(self, peer: str, contest: Contest, root: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.peer = peer
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, peer, contest, root), daemon=True)
        self._process.start()
        theirs.close()  # or its death would not be heard here
        self._receive()

    def epoch(self) -> dict[str, Took]:
        """Train one, and tell what it took."""
        self._connection.send("epoch")
        took = self._receive()
        assert isinstance(took, Took)
        return {PEERS[self.peer][0]: took}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()

    def _receive(self) -> object:
        try:
            said = self._connection.recv()
        except EOFError:
            said = "its process died"
        if isinstance(said, str):
            self.close()
            raise RuntimeError(said)
        return said


def _serve(connection: Connection, peer: str, contest: Contest, root: Path) -> None:
    """Run the process of a peer."""
    os.environ["OMP_NUM_THREADS"] = str(contest.threads)
    try:
        epoch, learned = _prepared(peer, contest, root)
        epoch()  # some networks need more than one to learn what can be told from guessing
        while True:
            watch = Stopwatch()
            epoch()
            took = watch.took()
            accuracy = learned()
            connection.send(took if accuracy > LEARNED else f"accuracy {accuracy:.3f}: it does not learn")
            connection.recv()
    except Exception as error:  # told to the one that asked, who reports it
        connection.send(f"{type(error).__name__}: {error}")


def _prepared(peer: str, contest: Contest, root: Path) -> tuple[Callable[[], None], Callable[[], float]]:
    """A peer's epoch, which ends when the device is done, and the accuracy of the network that it trains."""
    module = import_module(f"benchmarks.libraries.{peer}")
    import torch

    torch.set_num_threads(contest.threads)
    network, inputs, targets = _task(contest, root)
    half = {"precision": "bf16"} if contest.precision == "bf16" else {}
    train = module.prepare(inputs, targets, network, BATCH, LR, **half)

    def epoch() -> None:
        train()
        if contest.device == "cuda":
            torch.cuda.synchronize()

    @torch.no_grad()
    def learned() -> float:
        if peer in CHECKED_BY_ITSELF:
            return 1.0
        network.to(contest.device).eval()
        answers = network(inputs[:1000].to(contest.device)).argmax(dim=1).cpu()
        network.train()
        return float((answers == targets[:1000]).double().mean())

    return epoch, learned


def _task(contest: Contest, root: Path) -> "tuple[nn.Module, Tensor, Tensor]":
    """The network on its device, with standardised inputs and targets in main memory."""
    from core.config import schema as configuration
    from core.data.registry import load
    from core.models.registry import build

    resnet = contest.model == "resnet18"
    model = "mlp" if resnet else contest.model
    config = configuration.from_dict({"data": {"name": "mnist", "validation": 0}, "model": {"name": model}})
    data = load(config.data, root)
    inputs = (data.train.inputs[: contest.samples].float() - data.mean) / data.std
    if resnet:
        from torchvision.models import resnet18

        network, inputs = resnet18(num_classes=10), inputs.repeat(1, 3, 1, 1)
    else:
        network = build(config.model, data, seed=0)
    return network.to(contest.device), inputs, data.train.targets[: contest.samples]


def measure(contest: Contest, root: Path, rounds: int) -> tuple[list[Row], list[str]]:
    """The table of one contest, and what could not take part."""
    peers, absent = [], []
    for module, (name, package) in PEERS.items():
        if not contest.takes(module):
            continue
        try:
            version(package)
            peers.append(Peer(module, contest, root))
        except (PackageNotFoundError, RuntimeError) as error:
            absent.append(f"{contest}: {name} takes no part: {error}")
    try:
        return rows(in_turns([peer.epoch for peer in peers], rounds), BASELINE, contest.budgets), absent
    finally:
        for peer in peers:
            peer.close()


def contests(on_gpu: bool) -> list[Contest]:
    """Networks with one thread and with all, or in two precisions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if on_gpu:
        return [
            Contest(model, cores, samples, "cuda", precision)
            for model, samples in ON_GPU.items()
            for precision in ("fp32", "bf16")
        ]
    return [
        Contest(model, threads, samples)
        for model, samples in SAMPLES.items()
        for threads in sorted({1, cores})
    ]


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0], "--cuda")
    everything: list[Row] = []
    told: list[str] = []
    with mnist_root() as (root, data):
        for contest in contests(given.cuda):
            table, absent = measure(contest, root, given.rounds)
            print_table(f"{contest}, {contest.samples:,} samples of {data}", table)
            print("".join(f"  {line}\n" for line in absent), end="")
            everything += [replace(row, name=f"{contest}: {row.name}") for row in table]
            told += absent
    packages = {package: _version(package) for _, package in PEERS.values()}
    write(given.json, "one epoch beside other libraries", everything, packages=packages, absent=told)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
