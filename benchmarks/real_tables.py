"""Real tables that packages ship: a run with defaults beside boosting, a linear model and a tuned scikit-learn MLP.

    python -m benchmarks.real_tables [--folder DIR] [--quick] [--json FILE]

The tables are those of `benchmarks.corpus_targets` and of scikit-learn with at least `MIN_ROWS` rows; each with the
target that it is known for. A run is what ``tui train --data FILE`` does; boosting and the linear model are the simple
models beside it, on the same split. The MLP is scikit-learn's on the same encoded columns, with the best of `GRID` on a
fifth of the training rows. Where AutoGluon is installed, it has the same columns and `SECONDS` a table. Scores are
accuracy or R2 on test, R2 not below -1.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import install, tables
from benchmarks.corpus_targets import TARGETS

MIN_ROWS, MAX_ROWS = 80, 20_000
QUICK = 10
CLOSE, FAR = 0.02, 0.1
WORST = -1.0
GRID = (((100,), (128, 128)), (1e-4, 0.1), (1e-3, 1e-2))
"""Hidden units, penalty and learning rate."""
MODELS = ("network", "boosting", "linear", "mlp", "autogluon")
SECONDS = 30
OPENML = {"61": "class", "62": "type", "3": "class", "40675": "class", "42585": "species", "561": "class"}
"""Small tables of OpenML among scikit-learn's files, with their targets; 62 is Zoo."""
BUNDLED = ("iris", "wine", "breast_cancer", "diabetes")


def known(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables by name, each as the data section of a configuration."""
    import sklearn.datasets

    paths = dict(tables(folder))
    for name, targets in TARGETS.items():
        if targets and name in paths:
            yield (
                name,
                {"name": "csv", "path": str(paths[name]), "target": targets[0], "missing_target": "drop"},
            )
    files = Path(sklearn.datasets.__file__).parent / "tests" / "data" / "openml"
    for number, target in OPENML.items():
        found = sorted((files / f"id_{number}").glob("data-*.arff.gz"))
        if found:
            yield f"openml/{number}", {"name": "csv", "path": str(found[0]), "target": target}
    for name in BUNDLED:
        yield f"sklearn/{name}", {"name": name}


def scores_of(data: dict[str, Any], runs: Path) -> dict[str, float] | None:
    """Return the score of each model on the test split of a table; None if it is too small or too large."""
    from core.config.schema import from_dict
    from core.control import RunControl
    from core.data.registry import load
    from core.inference.baselines import load_baselines
    from core.inference.stored import load_evaluation
    from core.session import session

    given = {"data": data, "training": {"threads": 1, "min_steps": 1000}}
    bundled = {"model": {"name": "tabular"}} if data["name"] != "csv" else {}
    config = from_dict({**given, **bundled})
    loaded = load(config.data)
    if not MIN_ROWS <= sum(map(len, loaded.splits.values())) <= MAX_ROWS:
        return None
    prepared = session.prepare(config, None, lambda what, done, total: None)
    run = session.new_run(prepared, runs)
    finished = session.execute(prepared, run, emit=lambda event: None, control=RunControl())
    if finished.status != "completed":
        raise RuntimeError(finished.error)
    report = load_evaluation(run, "test").report
    metric = "accuracy" if report.class_names else "r2"
    beside = load_baselines(run)
    found = {"network": report.metrics[metric]}
    found |= {model.name: model.reports["test"].metrics[metric] for model in beside.models} if beside else {}
    found["mlp"] = tuned_mlp(loaded)
    if importlib.util.find_spec("autogluon"):
        found["autogluon"] = autogluon(loaded, runs / "autogluon" / run.name)
    return {name: max(WORST, found[name]) for name in MODELS if found.get(name) is not None}


def tuned_mlp(data: Any) -> float:
    """Return the test score of scikit-learn's MLP with the settings that are best on a fifth of the training rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPClassifier if data.class_names else MLPRegressor
    mean, std = np.array(data.target_mean), np.array(data.target_std)

    def part(name: str) -> tuple[np.ndarray, np.ndarray]:
        split = data.splits[name]
        inputs = ((split.inputs - data.mean) / data.std).numpy()
        targets = split.targets.numpy()
        return inputs, targets if data.class_names else ((targets - mean) / std).ravel()

    inputs, targets = part("train")
    order = np.random.default_rng(0).permutation(len(targets))
    held, kept = order[: len(order) // 5], order[len(order) // 5 :]

    def fitted(settings: tuple[Any, ...], rows: np.ndarray) -> Any:
        hidden, penalty, rate = settings
        model = kind(
            hidden_layer_sizes=hidden, alpha=penalty, learning_rate_init=rate, max_iter=100, random_state=0
        )
        return model.fit(inputs[rows], targets[rows])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = max(product(*GRID), key=lambda each: fitted(each, kept).score(inputs[held], targets[held]))
        return float(fitted(best, order).score(*part("test")))


def autogluon(data: Any, folder: Path) -> float:
    """Return the test score of AutoGluon's ensemble, which it learns in `SECONDS` from the training rows."""
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    def part(name: str) -> Any:
        split = data.splits[name]
        frame = pd.DataFrame(
            split.inputs.numpy(), columns=[f"c{place}" for place in range(split.inputs.shape[1])]
        )
        return frame.assign(target=split.targets.numpy().ravel())

    metric = "accuracy" if data.class_names else "r2"
    kind = ("binary" if len(data.class_names) == 2 else "multiclass") if data.class_names else "regression"
    model = TabularPredictor("target", problem_type=kind, eval_metric=metric, path=str(folder), verbosity=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(pd.concat([part("train"), part("validation")]), time_limit=SECONDS, num_cpus=1)
        return float(model.evaluate(part("test"))[metric])


def summary(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return how the network stands beside the others."""
    behind = {name: row["network"] - row["boosting"] for name, row in found.items() if "boosting" in row}
    ranks = {
        model: [
            1 + sum(other > row[model] for other in row.values()) for row in found.values() if model in row
        ]
        for model in MODELS
    }
    return {
        "tables": len(behind),
        "close_to_boosting": sum(by >= -CLOSE for by in behind.values()),
        "far_behind": sorted(name for name, by in behind.items() if by < -FAR),
        "median_rank": {model: statistics.median(each) for model, each in ranks.items() if each},
        "mean_rank": {model: round(statistics.mean(each), 2) for model, each in ranks.items() if each},
    }


def main() -> None:
    """Print a row for each table, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="keep the packages here, and use them again"
    )
    parser.add_argument("--quick", action="store_true", help=f"only {QUICK} tables")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "packages"
        folder.mkdir(parents=True, exist_ok=True)
        install(folder)
        print(f"{'':30}" + "".join(f"{name:>10}" for name in MODELS))
        for name, data in known(folder):
            began = time.monotonic()
            try:
                scores = scores_of(data, Path(temporary) / "runs")
            except Exception as error:  # a table that is refused
                print(f"{name:30} {type(error).__name__}: {str(error)[:80]}")
                continue
            if scores is not None:
                found[name] = scores
                shown = "".join(f"{scores.get(model, float('nan')):10.3f}" for model in MODELS)
                print(f"{name:30}{shown}   {time.monotonic() - began:.1f} s", flush=True)
            if options.quick and len(found) == QUICK:
                break
    numbers = summary(found)
    print(json.dumps(numbers, indent=1))
    if options.json:
        options.json.write_text(json.dumps({**numbers, "scores": found}, indent=2))


if __name__ == "__main__":
    main()
