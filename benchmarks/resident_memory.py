"""Peak memory of loading data that a function returns, beside the size of what it returns, 300 MB each; of runs, too.

    python -m benchmarks.resident_memory [--quick] [--json FILE]

Each case is a process of its own, which loads a small set first: what is imported does not count. Linux alone tells
the peak of the resident set since a moment. Whole runs over files are those of `benchmarks.run_memory`, with the simple
models that are trained beside them and without; `--quick` leaves them out.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from benchmarks.harness import options
from benchmarks.run_memory import KINDS, ratio
from core.data.dataset import no_progress
from core.data.own.python import PythonData
from core.user_code.trust import trust

BYTES, BUDGET = 300_000_000, 1.3
COLUMNS, STEPS = 250, 1000
Arrays = tuple[np.ndarray, np.ndarray]
Sequences = tuple[list[np.ndarray], list[int]]


def array(size: int, kind: str, shape: tuple[int, ...] = (COLUMNS,)) -> Arrays:
    """So many bytes of noise, and two classes."""
    draw = np.random.default_rng(0)
    made = np.empty((size // (int(np.prod(shape)) * np.dtype(kind).itemsize), *shape), kind)
    for rows in np.array_split(made, max(1, len(made) // 1000)):
        rows[:] = draw.normal(size=rows.shape) * 50
    return made, np.arange(len(made)) % 2


KEPT: list[np.ndarray] = []


def floats(size: int = BYTES) -> Arrays:
    """float32, which nobody else holds."""
    return array(size, "f4")


def kept_floats(size: int = BYTES) -> Arrays:
    """float32, which the user's file keeps, too."""
    made = array(size, "f4")
    KEPT.append(made[0])
    return made


def doubles(size: int = BYTES) -> Arrays:
    """float64."""
    return array(size, "f8")


def whole(size: int = BYTES) -> Arrays:
    """int64."""
    return array(size, "i8")


def tensors(size: int = BYTES) -> tuple[torch.Tensor, torch.Tensor]:
    """A tensor that PyTorch made."""
    made = torch.randn(size // (4 * COLUMNS), COLUMNS)
    return made, torch.arange(len(made)) % 2


def clipped(size: int = BYTES) -> Arrays:
    """A table with heavy tails."""
    inputs, targets = array(size, "f4")
    inputs[::500, :5] = 1e9
    return inputs, targets


def kept_doubles(size: int = BYTES) -> Arrays:
    """float64, which the user's file keeps, too."""
    made = array(size, "f8")
    KEPT.append(made[0])
    return made


def kept_clipped(size: int = BYTES) -> Arrays:
    """A table with heavy tails, which the user's file keeps, too."""
    made = clipped(size)
    KEPT.append(made[0])
    return made


def kept_images(size: int = BYTES) -> Arrays:
    """Images, channels last, which the user's file keeps, too."""
    made = images(size)
    KEPT.append(made[0])
    return made


def kept_inputs(size: int = BYTES) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two inputs by name, which the user's file keeps, too."""
    made, targets = several(size)
    KEPT.extend(made.values())
    return dict(made), targets


def shorts(size: int = BYTES) -> Arrays:
    """int16."""
    return array(size, "i2")


def images(size: int = BYTES) -> Arrays:
    """Images, channels last."""
    return array(size, "f4", (32, 32, 3))


def signals(size: int = BYTES) -> Arrays:
    """Signals, time first."""
    return array(size, "f4", (512, 6))


def several(size: int = BYTES) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two inputs by name."""
    (one, targets), (other, _) = array(size // 2, "f4"), array(size // 2, "f4")
    return {"one": one, "other": other}, targets


class Samples(Dataset[tuple[np.ndarray, int]]):
    """Samples that are made when they are asked for, each longer than the one before or all of one length."""

    def __init__(self, size: int, *, grows: bool) -> None:
        self.grows, bytes_of_one = grows, 16 * STEPS * (3 if grows else 1)
        self.count = max(40, size // bytes_of_one)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, at: int) -> tuple[np.ndarray, int]:
        steps = STEPS + (4 * STEPS * at // self.count if self.grows else 0)
        return np.full((steps, 4), at % 9, "f4"), at % 2


def one_by_one(size: int = BYTES) -> Samples:
    """A Dataset of signals."""
    return Samples(size, grows=False)


def growing(size: int = BYTES) -> Samples:
    """A Dataset of sequences, each longer than the one before."""
    return Samples(size, grows=True)


def part(size: int = BYTES) -> Arrays:
    """All columns but the first ten of a table."""
    inputs, targets = array(size, "f4", (COLUMNS + 10,))
    return inputs[:, 10:], targets


def scattered(size: int = BYTES) -> Arrays:
    """A table, one column after the other."""
    made = np.random.default_rng(0).random((COLUMNS, size // (4 * COLUMNS)), "f4")
    return made.T, np.arange(made.shape[1]) % 2


def kept_scattered(size: int = BYTES) -> Arrays:
    """A table, one column after the other, which the user's file keeps, too."""
    made = scattered(size)
    KEPT.append(made[0])
    return made


def alike(size: int = BYTES) -> Sequences:
    """A list of signals, time first."""
    made = [np.full((STEPS, 4), at % 9, "f4") for at in range(max(40, size // (16 * STEPS)))]
    return made, [at % 2 for at in range(len(made))]


def uneven(size: int = BYTES) -> Sequences:
    """A list of sequences, each longer than the one before."""
    count = max(40, size // (48 * STEPS))
    made = [np.full((STEPS + 4 * STEPS * at // count, 4), at % 9, "f4") for at in range(count)]
    return made, [at % 2 for at in range(len(made))]


def kept_uneven(size: int = BYTES) -> Sequences:
    """A list of sequences, which the user's file keeps, too."""
    made = uneven(size)
    KEPT.extend(made[0])
    return made


def wide_uneven(size: int = BYTES) -> Sequences:
    """A list of float64 sequences."""
    made, targets = uneven(size // 2)
    for at, sequence in enumerate(made):
        made[at] = sequence.astype("f8")
    return made, targets


def windows(size: int = BYTES) -> Sequences:
    """A list of windows of different lengths of one recording."""
    recording = np.random.default_rng(0).random((size // 16, 4), "f4")
    ends = np.cumsum(np.random.default_rng(1).integers(2000, 4250, len(recording) // 3125))
    made = np.split(recording, ends)[:-1]
    return made, [at % 2 for at in range(len(made))]


def ids(size: int = BYTES) -> tuple[list[list[int]], list[int]]:
    """A list of lists of ids, of which each takes 8 bytes and 32 more of its own where it is beyond 256."""
    made = [[1000 + at + step for step in range(100 + at % 100)] for at in range(max(40, size // (150 * 40)))]
    return made, [at % 2 for at in range(len(made))]


CASES = (
    floats,
    doubles,
    whole,
    shorts,
    tensors,
    clipped,
    images,
    signals,
    several,
    one_by_one,
    growing,
    part,
    scattered,
    alike,
    uneven,
    wide_uneven,
    windows,
    ids,
)
KEEPING = (kept_scattered, kept_uneven, kept_floats, kept_doubles, kept_clipped, kept_images, kept_inputs)


def measure(name: str) -> float:
    """Load a case in this process; return its peak, divided by its size."""
    torch.set_num_threads(1)
    trust(Path(__file__))
    root = Path(tempfile.gettempdir())
    load = PythonData(path=f"{__file__}:{name}", shape="auto")
    load.model_copy(update={"arguments": {"size": 2_000_000}}).load(root, no_progress)
    KEPT.clear()
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # starts the peak anew
    load.load(root, no_progress)
    return (_status("VmHWM") - before) / BYTES


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    """Measure each case in a process of its own."""
    asked = options((__doc__ or "").splitlines()[0])
    peaks = {}
    for case in CASES + KEEPING:
        command = [sys.executable, "-m", "benchmarks.resident_memory", case.__name__]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[case.__name__] = round(float(done.stdout), 2)
        print(f"{(case.__doc__ or '').rstrip('.'):60} {peaks[case.__name__]:5.2f}", flush=True)
    for kind in () if asked.quick else KINDS:
        for name, more in (
            (kind.name, ()),
            (f"{kind.name}, no baselines", ("--set", "training.baselines=none")),
        ):
            peaks[name] = round(ratio(kind, *more), 2)
            print(f"{name:60} {peaks[name]:5.2f}", flush=True)
    print(f"budget {BUDGET}")
    if asked.json:
        asked.json.write_text(json.dumps({"budget": BUDGET, "peaks": peaks}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2 and sys.argv[1] in {case.__name__ for case in CASES + KEEPING}:
        print(measure(sys.argv[1]))
    else:
        main()
