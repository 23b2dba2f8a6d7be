"""CUDA graphs beside kernels that are launched one by one: the same weights, and samples a second.

    python -m benchmarks.gpu.graphs [--device cpu] [--json FILE]

Fails when replayed steps give other weights than launched ones although two launched runs agree.
"""

import sys

import torch

from benchmarks.gpu.training import Trained, mnist, options, trained
from benchmarks.mnist import mnist_root


def furthest(one: Trained, other: Trained) -> float:
    """Return the largest difference of a weight."""
    return max(float((one.weights[name] - other.weights[name]).abs().max()) for name in one.weights)


def main() -> int:
    """Print, and return 1 if weights differ by the graphs."""
    given = options((__doc__ or "").splitlines()[0])
    torch.backends.cudnn.deterministic = True  # or two runs alike would differ
    wrong = 0
    with mnist_root() as (root, _):
        for network in ("mlp", "cnn"):
            data = mnist(root, network, given.device)
            for precision in ("fp32", "bf16"):
                replayed, launched, again = (
                    trained(
                        network, data, given.device, given.epochs, precision=precision, cuda_graphs=graphs
                    )
                    for graphs in ("on", "off", "off")
                )
                by_graphs, by_chance = furthest(replayed, launched), furthest(launched, again)
                wrong += by_graphs > 0 and by_chance == 0
                numbers = {
                    "largest_difference": by_graphs,
                    "largest_difference_of_two_launched": by_chance,
                    "replayed_per_second": replayed.samples_per_second,
                    "launched_per_second": max(launched.samples_per_second, again.samples_per_second),
                }
                text = (
                    f"{network}, {precision}: samples a second {numbers['replayed_per_second']:,.0f} replayed, "
                    f"{numbers['launched_per_second']:,.0f} launched; largest difference of a weight {by_graphs:g}, of "
                    f"two launched runs {by_chance:g}"
                )
                given.numbers.add(f"{network}, {precision}", numbers, text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
