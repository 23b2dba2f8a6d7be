"""Every task and feed, in several processes: weights, numbers and best epochs are those of one process."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.processes.launcher import Launcher
from tests.support.own_metrics import write_own_metrics
from tests.support.repository import REPOSITORY

SUPPORT = REPOSITORY / "tests" / "support"
SCRIPT = SUPPORT / "shared_runs.py"
ALIKE = 1e-5
"""Largest difference of a weight or a number, relative to the others: sums are taken in another order."""


def own(file: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"name": "python", "path": f"{SUPPORT / file}:{name}", **fields}


def case(data: Any, model: Any = "mlp", loss: Any = "auto", **training: Any) -> dict[str, Any]:
    settings = {"batch_size": 8, "epochs": 2, "device": "cpu", "preflight": False, "baselines": "none"}
    return {"data": data, "model": model, "loss": loss, "training": settings | training}


def stream(name: str, model: Any = "mlp", workers: int = 0, **training: Any) -> dict[str, Any]:
    return case(own("streamed_data.py", name, workers=workers), model, **training)


def table(folder: Path, **fields: Any) -> dict[str, Any]:
    """Two classes of 300 rows, by a weight that is often 0."""
    dice = np.random.default_rng(0)
    rows = [
        f"{a:.4f},{b:.4f},{dice.integers(3)},{'yes' if a > b else 'no'}" for a, b in dice.random((300, 2))
    ]
    (folder / "table.csv").write_text("\n".join(["a,b,w,kind", *rows]))
    return {"name": "csv", "path": str(folder / "table.csv"), "target": "kind", **fields}


def cases(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the configurations; batches that do not divide evenly, and last ones with a single sample, among them."""
    norm, unused = own("odd_networks.py", "Norm"), own("odd_networks.py", "Unused")
    (folder / "maps.py").write_text(MAPS)
    maps = {"name": "python", "path": f"{folder / 'maps.py'}:make"}
    metrics = ["roc_auc", *(f"{write_own_metrics(folder)}{name}" for name in ("f2", "Cost"))]
    return {
        "two classes": case("breast_cancer", accumulate=2, clip_norm=1.0, ema=0.9, batch_size=32),
        "own metrics": case(table(folder), metrics=metrics, monitor="f2", batch_size=64),
        "weights of samples": case(table(folder, weight="w"), "linear", batch_size=4, drop_last=True),
        "weights of classes": case(
            "iris", "mlp", {"name": "cross_entropy", "class_weights": "balanced"}, batch_size=7
        ),
        "balanced sampling": case("iris", sampling="balanced", batch_size=5, accumulate=3),
        "regression": case("diabetes", batch_size=9, epochs=1),
        "batch norm": case("iris", norm, batch_size=5, ema=0.9),
        "batch norm in parts": case("iris", norm, batch_size=8, accumulate=3),
        "batch norm of pictures": case("digits", "resnet_small", batch_size=64, epochs=1),
        "no part in the step": case("iris", unused, batch_size=7, ema=0.5),
        "own step": case("iris", own("own_steps.py", "Classifier"), accumulate=2, batch_size=9),
        "several optimizers": case("iris", own("own_steps.py", "Halves"), batch_size=9),
        "masks": stream("masks", maps, batch_size=7),
        "shares of classes": stream("soft", batch_size=5),
        "sequences": stream("sequences", "gru"),
        "workers": stream("tokens", "text_bag", workers=1, batch_size=5, epochs=1),
        "a stream": stream("stream", batch_size=5),
        "a stream and workers": stream("shuffling_apart", workers=2, batch_size=7, epochs=1),
        "divided weights": case("iris", norm, shard="fsdp", batch_size=8, accumulate=2),
    }


MAPS = """
from torch import nn

def make(num_classes: int):
    first = nn.Conv2d(1, 8, 3, padding=1, bias=False)
    return nn.Sequential(first, nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, num_classes, 1))
"""


def compared(folder: Path, chosen: dict[str, dict[str, Any]], processes: int) -> dict[str, Any]:
    """Return what `tests.support.shared_runs` finds in so many processes."""
    files = [folder / name for name in ("cases.json", "results.json")]
    files[0].write_text(json.dumps(chosen))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), *map(str, files)]
    assert Launcher(command, processes, environment=environment).run() == 0
    results: dict[str, Any] = json.loads(files[1].read_text())
    return results


def unlike(results: dict[str, Any]) -> dict[str, Any]:
    return {
        name: found
        for name, found in results.items()
        if "error" in found
        or max(found["weights"], found["numbers"]) > ALIKE
        or not (found["counts"] and found["best"])
    }


@pytest.mark.heavy
def test_two_processes_train_as_one_whatever_the_task_and_the_feed(tmp_path: Path) -> None:
    chosen = cases(tmp_path)
    results = compared(tmp_path, chosen, 2)
    assert [*results] == [*chosen]
    assert unlike(results) == {}


@pytest.mark.heavy
def test_four_processes_of_which_some_have_no_sample_in_the_last_batch(tmp_path: Path) -> None:
    """Of 108 samples 3 are in the last batch of 7, and 12 in the last one of 16, in parts of 4."""
    norm = own("odd_networks.py", "Norm")
    chosen = {
        "batch norm": case("iris", norm, batch_size=7, epochs=1),
        "batch norm in parts": case("iris", norm, batch_size=4, accumulate=4, epochs=1, ema=0.9),
        "own step": case("iris", own("own_steps.py", "Halves"), batch_size=7, epochs=1),
        "weights of samples": case(table(tmp_path, weight="w"), "linear", batch_size=7, epochs=1),
        "divided weights": case("iris", norm, shard="fsdp", batch_size=4, accumulate=4, epochs=1),
    }
    assert unlike(compared(tmp_path, chosen, 4)) == {}


def apart(folder: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Return configurations that are not the same in each process, and what is said of each."""

    def network(name: str, **training: Any) -> dict[str, Any]:
        return case("iris", own("apart.py", name), epochs=1, **training)

    def samples(**arguments: bool) -> dict[str, Any]:
        return case(own("apart.py", "data", arguments=arguments), epochs=1)

    paths = "the processes took different paths through the network: rank 0 came to "
    return {
        "blocks": (
            network("Branches", shard="fsdp"),
            paths + "block wide.0, rank 1 to the end of the network",
        ),
        "layers": (network("NormedBranches"), paths + "batch norm wide.1, rank 1 to batch norm slim.1"),
        "a layer": (network("Skipped"), paths + "batch norm part.1, rank 1 to the end of the network"),
        "optimizers": (
            network("Lazily"),
            paths + "the step of optimizer one, rank 1 to the step of optimizer other",
        ),
        "shapes": (
            network("Widths"),
            "model: the process of rank 1 has another network than that of rank 0: layers.0.weight is (9, 4) float32; "
            "rank 0: (8, 4) float32",
        ),
        "order": (
            samples(order=True),
            "data: the process of rank 1 has other samples in train than that of rank 0, or in another order",
        ),
        "count": (
            samples(count=True),
            "data: the process of rank 1 has other samples than that of rank 0: ",
        ),
        "classes": (
            samples(classes=True),
            "data: the process of rank 1 has other classes than that of rank 0: c, b, a; rank 0: a, b, c",
        ),
    }


@pytest.mark.heavy
def test_what_is_not_the_same_in_each_process_ends_with_a_sentence_before_they_wait_for_each_other(
    tmp_path: Path,
) -> None:
    """Sizes would not fit together, in Gloo an abort; where they do, numbers of different layers would be mixed."""
    chosen = apart(tmp_path)
    alike = {
        "as one": case(own("apart.py", "data", arguments={"order": False})),
        "first weights": case("iris", own("apart.py", "FirstWeights"), epochs=1),
        "branches without a collective": case("iris", own("apart.py", "Branches"), epochs=1),
    }
    results = compared(tmp_path, {**{name: values for name, (values, _) in chosen.items()}, **alike}, 2)
    for name, (_, said) in chosen.items():
        assert results[name].get("error", "").startswith(said), (name, results[name])
    assert unlike({name: results[name] for name in ("as one", "first weights")}) == {}
    assert "error" not in results["branches without a collective"]
