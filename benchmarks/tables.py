"""A table of 1,000,000 rows and 50 columns: from the file to the tensors, and an epoch on it.

    python -m benchmarks.tables [--quick] [--json FILE]

Each contestant works in a process of its own, since used memory stays warm. They take turns for three rounds; shown are
medians of seconds on the clock and of the processor, and of the largest memory beyond what imports take. Peers: polars
reading the same file and nothing else, and the usual pandas and scikit-learn pipeline (impute, scale, one-hot), if
pandas is installed.
"""

import argparse
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import peak

ROWS, QUICK_ROWS = 1_000_000, 100_000
ROUNDS = 3
NUMBERS, TEXTS = 41, 8
COLOURS = ("red", "green", "blue", "violet", "teal", "?")
MIB = 2**20


def write_table(path: Path, rows: int) -> None:
    """A file of numbers, some of them missing, of texts, and a target of two classes."""
    import polars as pl

    random = np.random.default_rng(0)
    columns: dict[str, object] = {f"x{at}": random.normal(size=rows).round(5) for at in range(NUMBERS)}
    columns |= {f"c{at}": np.array(COLOURS)[random.integers(0, len(COLOURS), rows)] for at in range(TEXTS)}
    columns["target"] = np.where(columns["x0"] + random.normal(size=rows) > 0, "yes", "no")
    missing = pl.when(pl.col("x1") > 1.5).then(None).otherwise(pl.col("x1")).alias("x1")
    pl.DataFrame(columns).with_columns(missing).write_csv(path)


def polars_alone(path: Path) -> None:
    """Reading, and no more."""
    import polars as pl

    started()
    pl.read_csv(path, null_values="?")


def pandas_and_scikit_learn(path: Path) -> None:
    """The pipeline that most would write."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    started()
    frame = pd.read_csv(path, na_values="?")
    target = frame.pop("target").astype("category").cat.codes
    train, test, _, _ = train_test_split(frame, target, test_size=0.2, stratify=target, random_state=0)
    numbers = [name for name in frame if name.startswith("x")]
    texts = [name for name in frame if name.startswith("c")]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32), texts),
    )
    encoder.fit_transform(train).astype(np.float32)
    encoder.transform(test).astype(np.float32)


def torchtui(path: Path) -> None:
    """The data set that a run trains on."""
    loaded(path)


def torchtui_and_an_epoch(path: Path) -> None:
    """The same, and a pass of a small network over it, validated."""
    import torch

    from core.config.schema import from_dict
    from core.control import RunControl
    from core.models.registry import build
    from core.training.context import TrainingContext
    from core.training.engine import train

    data = loaded(path)
    config = from_dict(
        {"training": {"epochs": 1, "batch_size": 1024}, "optimizer": {"name": "adam", "lr": 1e-3}}
    )
    model = build(config.model, data, seed=0)
    train(
        config,
        data,
        model,
        TrainingContext(torch.device("cpu")),
        emit=lambda event: None,
        control=RunControl(),
        checkpoints=Nowhere(),
    )


class Nowhere:
    """Keeps no checkpoint."""

    def save(self, state: object, kind: str) -> None:
        """Forget it."""


def loaded(path: Path):
    """The file as a data set."""
    from core.config.schema import from_dict
    from core.data.registry import load

    for module in ("core.data.tables.load", "sklearn.model_selection"):
        importlib.import_module(module)
    config = from_dict({"data": str(path)}).data
    started()
    return load(config)


OURS, PEER = "torchtui, to tensors", "pandas and scikit-learn, to arrays"
BUDGET = 0.6
"""Of the peer's processor time."""
CONTESTANTS = {
    "polars, reading alone": polars_alone,
    OURS: torchtui,
    "torchtui, and an epoch": torchtui_and_an_epoch,
    PEER: pandas_and_scikit_learn,
}
"""The first one is what the others are compared with."""

clock: dict[str, float] = {}


def started() -> None:
    """Imports are done: from here on time and memory count."""
    clock.setdefault("seconds", time.perf_counter())
    clock.setdefault("processor", time.process_time())
    clock.setdefault("memory", peak())


def measure(name: str, path: Path) -> dict[str, float]:
    """Measure one contestant in this process."""
    CONTESTANTS[name](path)
    return {
        "seconds": time.perf_counter() - clock["seconds"],
        "processor": time.process_time() - clock["processor"],
        "mib": peak() - clock["memory"],
    }


def measure_afresh(name: str, path: Path) -> dict[str, float]:
    """`measure` in a process of its own."""
    return json.loads(run_here("--measure", name, path))


def run_here(option: str, value: str, path: Path) -> str:
    """Return the output of this module for one task with a file."""
    command = [sys.executable, "-m", "benchmarks.tables", option, value, "--file", str(path)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Print the table; write it to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help=f"one round, {QUICK_ROWS:,} rows in place of {ROWS:,}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    parser.add_argument("--measure", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--write", type=int, metavar="ROWS", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.file)))
        return
    if options.write:
        write_table(options.file, options.write)
        return
    rows = QUICK_ROWS if options.quick else ROWS
    names = [*CONTESTANTS] if importlib.util.find_spec("pandas") else [*CONTESTANTS][:-1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        run_here(
            "--write", str(rows), path
        )  # a process remembers the largest memory of the one that began it
        size = path.stat().st_size / MIB
        rounds = [
            {name: measure_afresh(name, path) for name in names}
            for _ in range(1 if options.quick else ROUNDS)
        ]
    found = {
        name: {of: statistics.median(taken[name][of] for taken in rounds) for of in rounds[0][name]}
        for name in names
    }
    print(f"{rows:,} rows x {NUMBERS + TEXTS + 1} columns, {size:.0f} MiB of CSV")
    print(f"  {'':36} seconds   ratio  processor   ratio  peak MiB")
    base = found[names[0]]
    for name, took in found.items():
        print(
            f"  {name:36}{took['seconds']:8.2f}{took['seconds'] / base['seconds']:8.2f}{took['processor']:11.2f}"
            f"{took['processor'] / base['processor']:8.2f}{took['mib']:10.0f}"
        )
    if PEER in found:
        ratios = [taken[OURS]["processor"] / taken[PEER]["processor"] for taken in rounds]
        budget = "" if options.quick else f", budget {BUDGET:.2f}"
        median = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"  {OURS}, beside {PEER}: {median} of the processor time{budget}")
    if options.json:
        options.json.write_text(
            json.dumps({"rows": rows, "mib": size, "rounds": rounds, "contestants": found}, indent=2)
        )


if __name__ == "__main__":
    main()
