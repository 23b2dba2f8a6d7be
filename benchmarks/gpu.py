"""Waits for a GPU: CUDA graphs against launches one by one, and synchronisations between logged steps.

    python -m benchmarks.gpu

Prints, and ends with 1 when replayed steps give other weights than launched ones. Needs a CUDA device; speeds are told
by ``python -m benchmarks.peers --cuda``.
"""

import sys
from typing import Any

import torch

from benchmarks.mnist import mnist_root
from core.config import schema as configuration
from core.control import RunControl
from core.data.registry import load
from core.events import Event, StepLogged
from core.models.registry import build
from core.training.context import TrainingContext
from core.training.engine import train

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp with dropout": {"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
    "cnn": {"name": "cnn"},
}


class Nowhere:
    """Keeps no checkpoints."""

    def save(self, state: dict[str, Any], kind: str) -> None:
        """Forget it."""


def trained(model: dict[str, Any], root: Any, **training: Any) -> tuple[dict[str, torch.Tensor], list[Event]]:
    """Weights after two epochs on the GPU, and what was told."""
    values = {
        "data": {"name": "mnist", "validation": 0.1},
        "model": model,
        "optimizer": "adam",
        "schedule": "cosine",
        "training": {"epochs": 2, "batch_size": 64, **training},
    }
    config = configuration.from_dict(values)
    data = load(config.data, root)
    network = build(config.model, data, seed=0)
    events: list[Event] = []
    train(
        config,
        data,
        network,
        TrainingContext(torch.device("cuda")),
        emit=events.append,
        control=RunControl(),
        checkpoints=Nowhere(),
    )
    return {key: weight.cpu() for key, weight in network.state_dict().items()}, events


def main() -> int:
    """Check and print."""
    if not torch.cuda.is_available():
        print("no CUDA device here")
        return 0
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    torch.backends.cudnn.deterministic = True  # or two runs alike would differ
    wrong = 0
    with mnist_root() as (root, _):
        for name, model in NETWORKS.items():
            for precision in ("fp32", "bf16"):
                (replayed, _), (launched, _) = (
                    trained(model, root, precision=precision, cuda_graphs=graphs) for graphs in ("on", "off")
                )
                furthest = max(float((replayed[key] - launched[key]).abs().max()) for key in replayed)
                print(
                    f"{name}, {precision}: largest difference of a weight, replayed or launched: {furthest:g}"
                )
                wrong += furthest > 0
            waits, logged, steps = counted(model, root)
            print(f"{name}: {waits} waits for the device in {steps} steps, of which {logged} were logged")
    return 1 if wrong else 0


def counted(model: dict[str, Any], root: Any) -> tuple[int, int, int]:
    """Calls that wait for the device, steps that were logged, and all steps, as the profiler saw them."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        _, events = trained(model, root, cuda_graphs="off")
    waits = sum(event.count for event in profiler.key_averages() if event.key in WAITS)
    logged = [event for event in events if isinstance(event, StepLogged)]
    return waits, len(logged), logged[-1].step


if __name__ == "__main__":
    sys.exit(main())
