"""Trials a minute on digits, beside Optuna with a plain PyTorch loop; trials that train together as one program; and
what learning from earlier trials is worth.

    python -m benchmarks.tuning [--quick] [--json FILE]

All train the same grid, each trial on one thread, with the same data, batch sizes and epochs, and validate after each
epoch. torchtui also writes a run folder with log and checkpoints for every trial, evaluates it, and keeps the study in
a file; Optuna keeps it in memory. The worker processes have begun before the clock does.
"""

import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import optuna
import psutil
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.harness import QUICK_ROUNDS, Row, Stopwatch, Took, in_turns, options, print_table, rows, write
from core.config import schema as configuration
from core.control import RunControl
from core.data.registry import load
from core.tuning.executors.executors import Executor, LocalProcesses
from core.tuning.executors.vmap_executor import VmapExecutor
from core.tuning.search.plan import Method, make_plan
from core.tuning.study.records import StudyFinished
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune

GRID: dict[str, Any] = {
    "optimizer.lr": [0.01, 0.03, 0.1],
    "model.hidden": [[64], [128, 64]],
    "training.batch_size": [32, 64],
}
TRIALS = 12
ALIKE: dict[str, Any] = {
    "optimizer.lr": [0.01, 0.02, 0.05, 0.1],
    "optimizer.momentum": [0.8, 0.9],
    "training.seed": [0, 1, 2, 3],
}
"""Of one architecture: what `--executor vmap` trains together."""
TOGETHER = 32
EPOCHS, QUICK_EPOCHS = 10, 4
OPTUNA = "Optuna, a plain loop, 1 process"
JOBS = (1, 2)

SEARCHED: dict[str, Any] = {
    "optimizer.lr": {"low": 1e-5, "high": 1.0, "log": True},
    "optimizer.momentum": {"low": 0.0, "high": 0.99},
    "model.hidden": [[8], [32], [128], [64, 32]],
    "training.batch_size": [16, 32, 64, 128],
}
SETS = ("digits", "breast_cancer")
SEEDS, QUICK_SEEDS = 5, 2
SEARCH_TRIALS, QUICK_SEARCH_TRIALS = 30, 12


@dataclass(frozen=True)
class Searched:
    """The best validation loss that searches of a data set found, a seed each, and the median of all random trials."""

    data: str
    random: list[float]
    bayes: list[float]
    median_trial: float


def family_seconds() -> float:
    """Processor time of this process and of all that it has begun."""
    here = psutil.Process()
    spent = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(times.user + times.system for times in spent)


def study(
    executor: Executor,
    domains: Mapping[str, Any],
    data: str,
    method: Method,
    trials: int,
    epochs: int,
    seed: int,
) -> StudyFinished:
    """A whole study in a folder that is thrown away."""
    training = {"epochs": epochs, "seed": seed, "device": "cpu", "threads": 1}
    plan = make_plan(
        configuration.from_dict({"data": data, "training": training}), domains, method=method, trials=trials
    )
    with tempfile.TemporaryDirectory() as folder:
        finished = tune(
            create_study(Path(folder), plan), executor, emit=lambda event: None, control=RunControl()
        )
    if finished.best is None:
        raise RuntimeError(finished.error)
    return finished


def torchtui(
    name: str, executor: Executor, grid: Mapping[str, Any], trials: int, epochs: int
) -> dict[str, Took]:
    """All trials of a grid, by one of our executors."""
    watch = Stopwatch(family_seconds)
    finished = study(executor, grid, "digits", "grid", trials, epochs, seed=0)
    took = watch.took()
    assert finished.best is not None
    check(finished.best.value)
    return {name: took}


def plain(epochs: int) -> dict[str, Took]:
    """All trials of the grid by Optuna's own sampler and a loop that one writes by hand, in this process."""
    watch = Stopwatch(family_seconds)
    data = load(configuration.from_dict({"data": "digits"}).data)
    splits = [((split.inputs - data.mean) / data.std).flatten(1) for split in (data.train, data.validation)]
    targets = [data.train.targets, data.validation.targets]
    lists = {path: [str(value) for value in values] for path, values in GRID.items()}
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(lists, seed=0))

    def objective(trial: optuna.Trial) -> float:
        value = {
            path: GRID[path][lists[path].index(trial.suggest_categorical(path, lists[path]))] for path in GRID
        }
        model = network(splits[0].shape[1], value["model.hidden"], len(data.class_names))
        optimizer = torch.optim.SGD(model.parameters(), lr=value["optimizer.lr"], momentum=0.9)
        return trained(model, optimizer, splits, targets, value["training.batch_size"], epochs)

    study.optimize(objective, n_trials=TRIALS)
    took = watch.took()
    check(study.best_value)
    return {OPTUNA: took}


def network(inputs: int, hidden: list[int], classes: int) -> nn.Module:
    """The same layers as torchtui's mlp."""
    sizes = [inputs, *hidden]
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], classes))


def trained(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    splits: list[Tensor],
    targets: list[Tensor],
    batch_size: int,
    epochs: int,
) -> float:
    """The best validation loss over all epochs."""
    best = float("inf")
    for _ in range(epochs):
        for batch in torch.randperm(len(splits[0])).split(batch_size):
            optimizer.zero_grad()
            cross_entropy(model(splits[0][batch]), targets[0][batch]).backward()
            optimizer.step()
        with torch.no_grad():
            best = min(best, float(cross_entropy(model(splits[1]), targets[1])))
    return best


def check(loss: float | None) -> None:
    """Stop a comparison with trials that do not learn."""
    if loss is None or loss > 0.5:
        raise RuntimeError(f"the best validation loss is {loss}: these trials do not learn")


def searched(executor: Executor, data: str, seeds: int, trials: int, epochs: int) -> Searched:
    """Random and Bayesian searches with the same seeds, and so with the same weights and batches."""
    found: dict[str, list[StudyFinished]] = {
        method: [study(executor, SEARCHED, data, method, trials, epochs, seed) for seed in range(seeds)]
        for method in ("random", "bayes")
    }
    best = {name: [ended.best.value for ended in all_ended] for name, all_ended in found.items()}  # type: ignore[union-attr]
    every = [trial.value for ended in found["random"] for trial in ended.records if trial.value is not None]
    return Searched(data, best["random"], best["bayes"], statistics.median(every))


def print_throughput(table: list[Row], trials: int) -> dict[str, float]:
    """Trials a minute by name."""
    a_minute = {row.name: 60 * trials / row.seconds for row in table}
    for name, count in a_minute.items():
        print(f"  {name:36} {count:7.0f} trials a minute", flush=True)
    return a_minute


def print_searched(found: list[Searched], trials: int) -> None:
    """The searches as text."""
    print(f"\nbest validation loss after {trials} trials, a column a seed")
    for one in found:
        for name, values in (("random", one.random), ("bayes", one.bayes)):
            shown = " ".join(f"{value:8.4f}" for value in values)
            print(f"  {one.data:14} {name:7} {shown}   median {statistics.median(values):.4f}")
        below = sum(value < statistics.median(one.random) for value in one.bayes)
        print(
            f"  {'':14} the median random trial {one.median_trial:.4f}; bayes below the median of random search in "
            f"{below} of {len(one.bayes)}",
            flush=True,
        )


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    quick = given.rounds == QUICK_ROUNDS
    epochs = QUICK_EPOCHS if quick else EPOCHS
    seeds, trials = (QUICK_SEEDS, QUICK_SEARCH_TRIALS) if quick else (SEEDS, SEARCH_TRIALS)
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    executors = {jobs: LocalProcesses(jobs, 1) for jobs in JOBS}
    contestants: list[Callable[[], Mapping[str, Took]]] = [partial(plain, epochs)]
    by_jobs: dict[str, Executor] = {
        f"torchtui --jobs {jobs}": executor for jobs, executor in executors.items()
    }
    contestants += [partial(torchtui, name, it, GRID, TRIALS, epochs) for name, it in by_jobs.items()]
    table = rows(in_turns(contestants, given.rounds), OPTUNA, {})
    print_table(f"{TRIALS} trials of {epochs} epochs of digits, {given.rounds} rounds", table)
    a_minute = print_throughput(table, TRIALS)
    by_jobs[f"torchtui --executor vmap --jobs {TOGETHER}"] = VmapExecutor(TOGETHER)
    contestants = [partial(torchtui, name, it, ALIKE, TOGETHER, epochs) for name, it in by_jobs.items()]
    alike = rows(in_turns(contestants, given.rounds), f"torchtui --jobs {JOBS[0]}", {})
    print_table(f"\n{TOGETHER} trials of one architecture, {epochs} epochs of digits", alike)
    a_minute_alike = print_throughput(alike, TOGETHER)
    found = [searched(executors[2], data, seeds, trials, epochs) for data in SETS]
    print_searched(found, trials)
    for executor in by_jobs.values():
        executor.close()
    facts = {"trials": TRIALS, "epochs": epochs, "trials_a_minute": a_minute}
    facts |= {"alike": [asdict(row) for row in alike], "alike_a_minute": a_minute_alike}
    title = f"{TRIALS} trials of {epochs} epochs of digits"
    write(given.json, title, table, **facts, searches=[asdict(one) for one in found])


if __name__ == "__main__":
    main()
