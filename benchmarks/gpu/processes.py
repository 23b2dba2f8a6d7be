"""Samples a second of one run in one process and in one for each GPU, by NCCL; needs two GPUs.

    python -m benchmarks.gpu.processes [--device cpu] [--json FILE]

On processors two processes communicate by gloo.
"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import torch

from benchmarks.gpu.training import mnist, options, trained
from benchmarks.mnist import mnist_root
from core.processes.launcher import Launcher
from core.torchrun import ends_without_finalizing
from core.training.distributed import process_group


def measure(device: str, epochs: int, file: Path) -> None:
    """Train in each of the processes that were started; the first one writes the samples a second."""
    with process_group() as group, mnist_root() as (root, _):
        rates = {
            network: trained(
                network, mnist(root, network, device), device, epochs, group=group
            ).samples_per_second
            for network in ("mlp", "cnn")
        }
        if not group.rank:
            file.write_text(json.dumps(rates))


def told_where(parser: ArgumentParser) -> None:
    """Let the command line name the file of the processes that are started here."""
    parser.add_argument("--measure", type=Path, metavar="FILE")


def main() -> None:
    """Print a line for each network and number of processes."""
    given = options((__doc__ or "").splitlines()[0], told_where)
    if given.measure:
        measure(given.device, given.epochs, given.measure)
        return
    most = torch.cuda.device_count() if given.device == "cuda" else 2
    if most < 2:
        given.numbers.add("gpus", most, "a single GPU: NCCL needs two")
        return
    alone: dict[str, float] = {}
    for processes in (1, most):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rates.json"
            command = [sys.executable, "-m", "benchmarks.gpu.processes", "--device", given.device]
            command += ["--measure", str(file), *["--quick"] * given.quick]
            if Launcher(command, processes, environment={**os.environ, "OMP_NUM_THREADS": "1"}).run():
                raise RuntimeError(f"one of {processes} processes failed")
            rates = json.loads(file.read_text())
        for network, rate in rates.items():
            ratio = rate / alone.setdefault(network, rate)
            text = (
                f"{network}, processes {processes}: {rate:,.0f} samples a second, {ratio:.2f} of one process"
            )
            given.numbers.add(f"{network}, {processes}", {"per_second": rate, "of_one": ratio}, text)


if __name__ == "__main__":
    with ends_without_finalizing():
        main()
