"""SIGKILL at random moments, again and again: what is lost of runs that are resumed each time.

The runs of `tests.core.session.kill_server`, which tells how, and more: an own network that draws random numbers in
evaluation, networks with their own training step, an own metric, images, a table, and options of training. The part
fails if a single bit is lost.
"""

import argparse
import csv
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any

__all__ = ["more_runs"]

KILLS, QUICK_KILLS = 1000, 50
OWN_STEPS = Path(__file__).parents[1] / "tests" / "support" / "own_steps.py"
DIGITS = {"name": "digits", "test": 0.6, "validation": 0.2}
NETWORK = """
import torch
from torch import nn


class Noisy(nn.Module):
    def __init__(self, in_features, outputs):
        super().__init__()
        self.first = nn.Linear(in_features, 16)
        self.norm = nn.BatchNorm1d(16)
        self.last = nn.Linear(16, outputs)

    def forward(self, inputs):
        hidden = self.norm(self.first(inputs.flatten(1))).relu()
        return self.last(hidden + 0.1 * torch.randn_like(hidden))
"""
OWN = """
import torch
from torch import nn
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau


class Warm(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.temperature = nn.Parameter(torch.rand(num_classes) + 0.5)
        self.register_buffer("seen", torch.zeros(num_classes))

    def forward(self, outputs, targets):
        if self.training:
            self.seen += torch.bincount(targets, minlength=len(self.seen))
        return nn.functional.cross_entropy(outputs * self.temperature, targets, reduction="none")

    def scores(self, outputs):
        return (outputs * self.temperature).softmax(dim=1)


class Lion(Optimizer):
    def __init__(self, params, lr=1e-3):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                weight.add_(mean.lerp(weight.grad, 0.1).sign(), alpha=-group["lr"])
                mean.lerp_(weight.grad, 0.01)


def falling(step, steps):
    return 1 - step / steps
"""
METRIC = """
import numpy as np


def worst_recall(scores, targets):
    found = scores.argmax(axis=1)
    return min(np.mean(found[targets == label] == label) for label in np.unique(targets))


worst_recall.higher_is_better = True
"""


def more_runs(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the files that they need to `folder`; return the configurations by name."""
    network, steps, metric = (folder / name for name in ("noisy.py", "own_steps.py", "metric.py"))
    metric.write_text(METRIC)
    network.write_text(NETWORK)
    steps.write_text(OWN_STEPS.read_text())
    own = folder / "own.py"
    own.write_text(OWN)
    small = {"name": "mlp", "hidden": [16], "dropout": 0.2}
    adam = {"data": DIGITS, "model": small, "loss": "cross_entropy", "optimizer": "adam"}
    return {
        "own network that draws random numbers": {
            **adam,
            "model": {"name": "python", "path": f"{network}:Noisy"},
        },
        "own step, a variational autoencoder": {
            "data": DIGITS,
            "model": {"name": "python", "path": f"{steps}:Vae"},
            "optimizer": "adam",
            "schedule": "cosine",
        },
        "own step and two optimizers, a GAN": {
            "data": DIGITS,
            "model": {"name": "python", "path": f"{steps}:Gan"},
        },
        "images from a folder, augmented": {
            "data": {"name": "image_folder", "path": str(_images(folder / "images")), "augment": ["flip"]},
            "model": {"name": "cnn", "channels": [2, 4], "hidden": [4]},
            "loss": "cross_entropy",
        },
        "table, balanced sampling": {
            "data": {"name": "csv", "path": str(_table(folder / "table.csv")), "target": "kind"},
            "model": small,
            "loss": "cross_entropy",
            "training": {"sampling": "balanced"},
        },
        "accumulation": {**adam, "training": {"accumulate": 3}},
        "moving average of the weights": {**adam, "training": {"ema": 0.9}},
        "plateau schedule": {**adam, "schedule": {"name": "plateau", "patience": 0, "min_delta": 0.5}},
        "own metric as monitor, with patience": {
            **adam,
            "training": {
                "metrics": [f"{metric}:worst_recall", "f1_macro"],
                "monitor": "worst_recall",
                "patience": 2,
            },
        },
        "kept checkpoints, with a limit": {
            **adam,
            "training": {"monitor": "f1_macro"},
            "checkpoints": {"every": 2, "keep": 1, "max_gb": 6e-5},
        },
        "kept checkpoints of every epoch": {**adam, "checkpoints": {"every": 1}},
        "mixed precision, bf16": {**adam, "training": {"precision": "bf16"}},
        "muon": {**adam, "optimizer": "muon"},
        "own loss with weights and buffers": {**adam, "loss": f"{own}:Warm"},
        "own optimizer": {**adam, "optimizer": f"{own}:Lion"},
        "own optimizer with a closure": {
            **adam,
            "optimizer": {"name": "python", "path": f"{own}:LBFGS", "arguments": {"max_iter": 3}},
        },
        "own schedule per step": {
            **adam,
            "schedule": {
                "name": "python",
                "path": f"{own}:OneCycleLR",
                "per": "step",
                "arguments": {"max_lr": 0.01},
            },
        },
        "own schedule by validation": {
            **adam,
            "schedule": {
                "name": "python",
                "path": f"{own}:ReduceLROnPlateau",
                "arguments": {"patience": 0, "threshold": 0.5},
            },
        },
        "own function of the step": {**adam, "schedule": f"{own}:falling"},
        "groups of weights, last batch dropped": {
            **adam,
            "optimizer": {"name": "adamw", "groups": {"1.*": {"lr": 0.01}, "*.bias": {"freeze": True}}},
            "training": {"drop_last": True},
        },
        "one fold of three": {**adam, "data": {"name": "digits", "test": 0.6, "folds": 3, "fold": 2}},
    }


def _images(folder: Path) -> Path:
    """Write a folder of 90 images of two classes that can be told apart."""
    from PIL import Image

    dice = random.Random(0)
    for label, brightest in (("dark", 160), ("light", 255)):
        (folder / label).mkdir(parents=True)
        for number in range(45):
            pixels = bytes(dice.randint(brightest - 160, brightest) for _ in range(64))
            Image.frombytes("L", (8, 8), pixels).save(folder / label / f"{number}.png")
    return folder


def _table(file: Path) -> Path:
    """Write a table of 300 rows, numbers and texts, with uneven classes."""
    dice = random.Random(0)
    with file.open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["length", "width", "colour", "kind"])
        for _ in range(300):
            length, width = round(dice.gauss(5, 2), 3), round(dice.gauss(3, 1), 3)
            kind = "large" if length * width > 24 else "small"
            table.writerow([length, width, dice.choice(["red", "green", "blue"]), kind])
    return file


def _disturbed(
    folder: Path, number: int, name: str, values: dict[str, Any], kills: int
) -> list[dict[str, Any]]:
    """Return the outcome of all runs of a configuration; called in a process without threads."""
    import torch

    from core.user_code import trust
    from tests.core.session.kill_server import disturb

    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports a large part of torch
    for file in folder.glob("*.py"):
        trust.trust(file)
    outcomes = []
    for outcome in disturb(folder, number, name, values, kills):
        outcomes.append(outcome)
        shutil.rmtree(folder / f"{number}-{len(outcomes) - 1}")
    return outcomes


def table_of(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of runs that came to their end."""
    where: Counter[str] = Counter()
    for outcome in outcomes:
        where.update(outcome["where"])
    return {
        "runs": len(outcomes),
        "kills": sum(outcome["kills"] for outcome in outcomes),
        "bits lost": sum(outcome["bits_lost"] for outcome in outcomes),
        "runs that did not end": sum(outcome["status"] != 0 for outcome in outcomes),
        "damaged folders": sum(outcome["damaged"] for outcome in outcomes),
        "leftovers": sum(len(outcome["leftovers"]) for outcome in outcomes),
        "where": dict(sorted(where.items())),
    }


def main() -> int:
    """Kill, print, and write the numbers if asked; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kills", type=int, default=KILLS, help=f"how many, over all configurations ({KILLS:,})"
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_KILLS} kills")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    given = parser.parse_args()
    kills = QUICK_KILLS if given.quick else given.kills
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {"TUI_CONFIG": str(folder / "settings.json"), "TUI_DATA": str(folder / "data")}
        os.environ.update(own, OMP_NUM_THREADS="1", POLARS_MAX_THREADS="1")
        from tests.core.session.kill_server import RUNS

        runs = {**RUNS, **more_runs(folder)}
        each = -(-kills // len(runs))
        told = [(folder, number, name, values, each) for number, (name, values) in enumerate(runs.items())]
        with get_context("fork").Pool(os.cpu_count()) as pool:
            outcomes = []
            for of_one in (waiting.get() for waiting in [pool.apply_async(_disturbed, job) for job in told]):
                numbers = table_of(of_one)
                print(f"  {of_one[0]['run']:38} {json.dumps(numbers)}", flush=True)
                for outcome in of_one:
                    if outcome["wrong"] or outcome["leftovers"] or outcome["damaged"] or outcome["status"]:
                        print(f"    {json.dumps(outcome)}", flush=True)
                outcomes += of_one
    numbers = table_of(outcomes)
    print(f"{len(runs)} configurations: {json.dumps(numbers, indent=2)}")
    if given.json is not None:
        given.json.write_text(json.dumps({"configurations": list(runs), **numbers}, indent=2) + "\n")
    return int(
        any(numbers[kind] for kind in ("bits lost", "runs that did not end", "damaged folders", "leftovers"))
    )


if __name__ == "__main__":
    sys.exit(main())
