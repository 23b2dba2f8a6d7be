"""One epoch of MNIST: torchtui's engine beside other libraries that train.

    python -m benchmarks.peers [--quick] [--json FILE]

The same network, data, batches of 64 in shuffled order, SGD with learning rate 0.01 and number of threads for all; each
peer lives in a process of its own, and they take turns.
"""

import multiprocessing
import os
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.harness import Row, Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root

PEERS = {
    "bare": ("bare resident loop", "torch"),
    "torchtui": ("torchtui", "torchtui"),
    "loop": ("loop over a DataLoader", "torch"),
    "ignite": ("PyTorch-Ignite", "pytorch-ignite"),
    "skorch_": ("skorch", "skorch"),
    "lightning_": ("Lightning", "lightning"),
    "fastai_": ("fastai", "fastai"),
    "keras_": ("Keras on torch", "keras"),
}
"""Name in the table and package, by module of `benchmarks.libraries`."""
BASELINE = PEERS["bare"][0]
BUDGETS = {PEERS["torchtui"][0]: 1.10}
BATCH, LR = 64, 0.01
SAMPLES = {"mlp": 60_000, "cnn": 12_000}
LEARNED = 0.3
CHECKED_BY_ITSELF = {"keras_"}


class Peer:
    """A process that trains an epoch at once, to see that it can, and then when asked to.

    Raises:
        RuntimeError: it cannot.
    """

    def __init__(self, peer: str, model: str, threads: int, root: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.peer = peer
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, peer, model, threads, root), daemon=True)
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


def _serve(connection: Connection, peer: str, model: str, threads: int, root: Path) -> None:
    """What a peer's process does."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        epoch, learned = _prepared(peer, model, threads, root)
        while True:
            watch = Stopwatch()
            epoch()
            took = watch.took()
            accuracy = learned()
            connection.send(took if accuracy > LEARNED else f"accuracy {accuracy:.3f}: it does not learn")
            connection.recv()
    except Exception as error:  # told to the one that asked, who reports it
        connection.send(f"{type(error).__name__}: {error}")


def _prepared(
    peer: str, model: str, threads: int, root: Path
) -> tuple[Callable[[], None], Callable[[], float]]:
    """A peer's epoch, and the accuracy of the network that it trains."""
    module = import_module(f"benchmarks.libraries.{peer}")
    import torch

    from core import config as configuration
    from core.data.registry import load
    from core.models.registry import build

    torch.set_num_threads(threads)
    config = configuration.from_dict({"data": {"name": "mnist", "validation": 0}, "model": {"name": model}})
    data = load(config.data, root)
    network = build(config.model, data, seed=0)
    targets = data.train.targets[: SAMPLES[model]]
    inputs = (data.train.inputs[: SAMPLES[model]].float() - data.mean) / data.std
    epoch = module.prepare(inputs, targets, network, BATCH, LR)

    @torch.inference_mode()
    def learned() -> float:
        if peer in CHECKED_BY_ITSELF:
            return 1.0
        network.eval()
        return float((network(inputs[:1000]).argmax(dim=1) == targets[:1000]).double().mean())

    return epoch, learned


def measure(model: str, threads: int, root: Path, rounds: int) -> tuple[list[Row], list[str]]:
    """The table of one network and number of threads, and what could not take part."""
    peers, absent = [], []
    for module, (name, package) in PEERS.items():
        try:
            version(package)
            peers.append(Peer(module, model, threads, root))
        except (PackageNotFoundError, RuntimeError) as error:
            absent.append(f"{name} takes no part: {error}")
    try:
        return rows(in_turns([peer.epoch for peer in peers], rounds), BASELINE, BUDGETS), absent
    finally:
        for peer in peers:
            peer.close()


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    everything: list[Row] = []
    told: list[str] = []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with mnist_root() as (root, data):
        for model in SAMPLES:
            for threads in sorted({1, cores}):
                table, absent = measure(model, threads, root, given.rounds)
                title = f"{model}, {SAMPLES[model]:,} samples of {data}, threads: {threads}"
                print_table(title, table)
                print("".join(f"  {line}\n" for line in absent), end="")
                everything += [
                    Row(**{**vars(row), "name": f"{model}, {threads}: {row.name}"}) for row in table
                ]
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
