"""Samples a second in each precision, and compiled.

python -m benchmarks.gpu.precisions [--device cpu] [--json FILE]
"""

from typing import Any

from benchmarks.gpu.training import NETWORKS, mnist, options, trained
from benchmarks.mnist import mnist_root

WAYS: dict[str, dict[str, Any]] = {
    "fp32": {},
    "tf32": {"precision": "tf32"},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
    "bf16, channels last": {"precision": "bf16", "channels_last": True},
    "bf16, compiled": {"precision": "bf16", "compile": True},
}
ON_CPU = ("fp32", "bf16")
COMPILED = "bf16, compiled"
"""Comes last for all networks, as it takes longest to start."""


def main() -> None:
    """Print each."""
    given = options((__doc__ or "").splitlines()[0])
    ways = list(WAYS) if given.device == "cuda" else list(ON_CPU)
    plain: dict[str, float] = {}
    with mnist_root() as (root, _):
        data = {network: mnist(root, network, given.device) for network in NETWORKS}
        for network, way in sorted(
            ((network, way) for network in NETWORKS for way in ways), key=lambda one: one[1] == COMPILED
        ):
            rate = trained(network, data[network], given.device, given.epochs, **WAYS[way]).samples_per_second
            plain.setdefault(network, rate)
            ratio = rate / plain[network]
            text = f"{network}, {way}: {rate:,.0f} samples a second, {ratio:.2f} of fp32"
            given.numbers.add(f"{network}, {way}", {"per_second": rate, "of_fp32": ratio}, text)


if __name__ == "__main__":
    main()
