"""Measurements that need a GPU, in ten minutes at most.

    python -m benchmarks.gpu [--quick] [--json FILE] [--device cpu]

Each part runs in a process of its own and has a limit of time; what it has measured until then counts, and the others
run as well. Where there is no CUDA device nothing is measured. ``--device cpu`` tries the parts on few samples.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.training import NETWORKS


@dataclass(frozen=True)
class Part:
    """A module of this folder, what else it is given, and the seconds that it may take."""

    module: str
    seconds: int
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The module, with what it was given."""
        return " ".join((self.module, *self.arguments))


PARTS = [
    Part("waits", 80),
    Part("graphs", 80),
    Part("precisions", 120),
    *(Part("beside", 75, (network,)) for network in NETWORKS),
    Part("processes", 60),
]
"""Together they take less than ten minutes."""
LARGE = "resnet18"
"""Takes too long on a processor to try the libraries with."""


def main() -> int:
    """Run all parts; 1 if one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        print("  no CUDA device here: nothing is measured")
        return 0
    name = torch.cuda.get_device_name() if given.device == "cuda" else "the processor, to try the parts"
    print(f"  {name}, torch {torch.__version__}", flush=True)
    numbers: dict[str, Any] = {"title": "measurements of a GPU", "device": name}
    parts = [part for part in PARTS if given.device == "cuda" or part.arguments != (LARGE,)]
    for part in parts:
        numbers[part.name] = run(part, given.device, quick=given.quick)
        if given.json:
            given.json.write_text(json.dumps(numbers, indent=2) + "\n")
    failed = [part.name for part in parts if "failed" in numbers[part.name]]
    print(f"  failed: {', '.join(failed)}" if failed else "  all parts were measured")
    return 1 if failed else 0


def run(part: Part, device: str, *, quick: bool) -> dict[str, Any]:
    """Return what a part has measured, and with it why it ``failed`` if it did."""
    print(f"  -- {part.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        command = [sys.executable, "-m", f"benchmarks.gpu.{part.module}", *part.arguments]
        command += ["--device", device, "--json", str(file), *["--quick"] * quick]
        process = subprocess.Popen(command, start_new_session=True)
        try:
            code = process.wait(part.seconds)
            reason = f"it ended with {code}" if code else ""
        except subprocess.TimeoutExpired:
            reason = f"it took longer than {part.seconds} s"
        finally:
            _end(process)
        numbers: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    if not reason:
        return numbers
    print(f"  {part.name}: {reason}", flush=True)
    return {**numbers, "failed": reason}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a part, and the processes that it has started."""
    with suppress(ProcessLookupError):  # all may have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
