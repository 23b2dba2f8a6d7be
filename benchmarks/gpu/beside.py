"""Samples a second of one network beside a bare loop, Ignite and Lightning.

    python -m benchmarks.gpu.beside mlp|cnn|resnet18 [--device cpu] [--json FILE]

The contest is that of `benchmarks.peers`: the same network, data, batches and optimizer, each in a process of its own.
"""

from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.gpu.training import NETWORKS, options
from benchmarks.harness import QUICK_ROUNDS, ROUNDS, in_turns, rows
from benchmarks.mnist import mnist_root
from benchmarks.peers import BASELINE, ON_GPU, PEERS, SAMPLES, Contest, Peer

PLAYERS = ("bare", "torchtui", "torchtui_eager", "ignite", "lightning_")


def started(peer: str, contest: Contest, root: Path) -> Peer | str:
    """Return a peer that is ready, or why it takes no part."""
    name, package = PEERS[peer]
    try:
        version(package)
        return Peer(peer, contest, root)
    except (PackageNotFoundError, RuntimeError) as error:
        return f"{name} takes no part: {type(error).__name__}: {error}"


def network_named(parser: ArgumentParser) -> None:
    """Let the command line name the network."""
    parser.add_argument("network", choices=tuple(NETWORKS))


def main() -> None:
    """Print a line for each, in both precisions."""
    given = options((__doc__ or "").splitlines()[0], network_named)
    samples = (ON_GPU if given.device == "cuda" else SAMPLES)[given.network]
    with mnist_root() as (root, _):
        for precision in ("fp32", "bf16"):
            contest = Contest(given.network, 1, samples, given.device, precision)
            players = [peer for peer in PLAYERS if contest.takes(peer)]
            with ThreadPoolExecutor(len(players)) as pool:  # each imports much
                ready = [*pool.map(lambda peer: started(peer, contest, root), players)]  # noqa: B023  # ends here
            peers = [one for one in ready if isinstance(one, Peer)]
            for reason in (one for one in ready if isinstance(one, str)):
                given.numbers.add(
                    f"{precision}, absent: {reason}", True, f"{given.network}, {precision}: {reason}"
                )
            try:
                if PLAYERS[0] not in {peer.peer for peer in peers}:
                    raise RuntimeError(f"{given.network}, {precision}: there is no bare loop to compare with")
                rounds = QUICK_ROUNDS if given.quick else ROUNDS
                table = rows(in_turns([peer.epoch for peer in peers], rounds), BASELINE, {})
            finally:
                for peer in peers:
                    peer.close()
            for row in table:
                numbers = {"per_second": samples / row.seconds, "seconds": row.seconds, "ratio": row.ratio}
                text = f"{samples / row.seconds:12,.0f} samples a second, {row.ratio:6.2f} of the bare loop's time"
                given.numbers.add(
                    f"{precision}, {row.name}", numbers, f"{given.network}, {precision}, {row.name:30} {text}"
                )


if __name__ == "__main__":
    main()
