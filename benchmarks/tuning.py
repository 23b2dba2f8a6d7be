"""Trials a minute on digits, beside Optuna with a plain PyTorch loop.

    python -m benchmarks.tuning [--quick] [--json FILE]

All train the same grid, each trial on one thread, with the same data, batch sizes and epochs, and validate after each
epoch. torchtui also writes a run folder with log and checkpoints for every trial, evaluates it, and keeps the study in
a file; Optuna keeps it in memory. The worker processes have begun before the clock does.
"""

import tempfile
from collections.abc import Callable, Mapping
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
from core.tuning.search.plan import make_plan
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune

GRID: dict[str, Any] = {
    "optimizer.lr": [0.01, 0.03, 0.1],
    "model.hidden": [[64], [128, 64]],
    "training.batch_size": [32, 64],
}
TRIALS = 12
EPOCHS, QUICK_EPOCHS = 10, 4
OPTUNA = "Optuna, a plain loop, 1 process"
JOBS = (1, 2)


def family_seconds() -> float:
    """Processor time of this process and of all that it has begun."""
    here = psutil.Process()
    spent = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(times.user + times.system for times in spent)


def torchtui(jobs: int, executor: Executor, epochs: int) -> dict[str, Took]:
    """All trials of the grid by our local executor, in a folder that is thrown away."""
    watch = Stopwatch(family_seconds)
    training = {"epochs": epochs, "seed": 0, "device": "cpu", "threads": 1}
    base = configuration.from_dict({"data": "digits", "loss": "cross_entropy", "training": training})
    with tempfile.TemporaryDirectory() as folder:
        study = create_study(Path(folder), make_plan(base, GRID, method="grid"))
        finished = tune(study, executor, emit=lambda event: None, control=RunControl())
    took = watch.took()
    check(None if finished.best is None else finished.best.value)
    return {f"torchtui --jobs {jobs}": took}


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


def print_throughput(table: list[Row], trials: int) -> dict[str, float]:
    """Trials a minute by name."""
    a_minute = {row.name: 60 * trials / row.seconds for row in table}
    for name, count in a_minute.items():
        print(f"  {name:36} {count:7.0f} trials a minute", flush=True)
    return a_minute


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    quick = given.rounds == QUICK_ROUNDS
    epochs = QUICK_EPOCHS if quick else EPOCHS
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    executors = {jobs: LocalProcesses(jobs, 1) for jobs in JOBS}
    contestants: list[Callable[[], Mapping[str, Took]]] = [partial(plain, epochs)]
    contestants += [partial(torchtui, jobs, executor, epochs) for jobs, executor in executors.items()]
    table = rows(in_turns(contestants, given.rounds), OPTUNA, {})
    print_table(f"{TRIALS} trials of {epochs} epochs of digits, {given.rounds} rounds", table)
    a_minute = print_throughput(table, TRIALS)
    for executor in executors.values():
        executor.close()
    title = f"{TRIALS} trials of {epochs} epochs of digits"
    write(given.json, title, table, trials=TRIALS, epochs=epochs, trials_a_minute=a_minute)


if __name__ == "__main__":
    main()
