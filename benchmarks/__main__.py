"""All benchmarks, or one of them.

    python -m benchmarks [--quick] [--only PART]

Each part runs in a process of its own, prints a table, and leaves its numbers and the machine's name in
``benchmarks/results/PART.json``; with ``--quick`` it only prints.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import machine

PARTS = {
    "engine": "one epoch of MNIST, beside hand-written loops",
    "threads": "`threads: auto` beside torch's default, with the last core idle and busy",
    "peers": "one epoch of MNIST, beside other libraries that train",
    "added": "an epoch with an own loss, network, step, more labels, metrics, printing; seconds of pre-flight",
    "startup": "the first paint of the app and the first line of the command line, beside empty ones",
    "interface": "the same training with and without the Live screen",
    "keys": "from a key to the frame that shows what it did: torch loading, a run training, 10,000 runs",
    "modes": "returning to a mode, and memory over 500 switches",
    "long_run": "a run of 10,000,000 logged steps: redraw of its chart, and memory",
    "many_runs": "20,000 runs listed: a screenful, and all",
    "many_metrics": "a run of 500 metrics, and 10,000 logs of other tools: reading, listing, a key in Live",
    "follow": "from an event's writing to whoever follows the log",
    "tuning": "trials a minute, beside Optuna with a plain loop",
    "search": "methods of search on recorded surfaces, beside Optuna's samplers and random search",
    "tables": "a table of 1,000,000 rows from its file to an epoch, beside polars and pandas",
    "real_tables": "real tables that packages ship: defaults beside boosting, a linear model and a tuned MLP",
    "image_folder": "MNIST as PNG files: the first and the second epoch, beside ImageFolder with a DataLoader",
    "processes": "an epoch in one and in two processes, beside DDP as PyTorch's tutorial writes it",
    "stream": "a streamed epoch beside a plain loop over a DataLoader",
    "stream_memory": "memory of a training that reads its data meanwhile: pictures made on the fly, Parquet files",
    "resident_memory": "peak memory of loading arrays and data sets, beside their size",
    "evaluation_cost": "a full evaluation, beside scikit-learn's functions",
    "coverage": "95 % intervals by simulation: how often they hold the true value; equal runs told apart",
    "gpu": "with a GPU: waits, CUDA graphs, precisions, other libraries, NCCL",
    "kills": "1,000 SIGKILLs at random moments: what is lost of runs that are resumed",
}
"""The parts in the order in which they run, each the name of a module here."""

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what was asked for; 1 when a part failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds; only print")
    parser.add_argument("--only", choices=PARTS, metavar="PART", help=f"one of: {', '.join(PARTS)}")
    options = parser.parse_args()
    here = machine()
    print(f"{here['processor']}, {here['cores']} cores, {here['system']}, python {here['python']}")
    print(", ".join(f"{name} {number}" for name, number in here["packages"].items()))
    failed = [part for part in PARTS if options.only in (None, part) and not run(part, options.quick, here)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(part: str, quick: bool, here: dict[str, Any]) -> bool:
    """Run one part; whether it worked."""
    print(f"\n{part}: {PARTS[part]} (load average {load():.1f})", flush=True)
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        command = [sys.executable, "-m", f"benchmarks.{part}", "--json", str(file), *["--quick"] * quick]
        if subprocess.run(command, check=False).returncode != 0:
            return False
        if not file.exists():
            return True  # this machine cannot run it, as it says itself
        numbers = json.loads(file.read_text())
    if not quick:
        today = datetime.date.today().isoformat()
        result = {"date": today, "machine": here, "load_average": [before, load()], "numbers": numbers}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{part}.json").write_text(json.dumps(result, indent=2) + "\n")
    return True


def load() -> float:
    """Processes that wanted a core during the last minute, on average."""
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    sys.exit(main())
