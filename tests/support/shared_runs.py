"""Trains configurations in several processes and in one, and writes how much the results differ.

Started by each of the processes: ``python shared_runs.py CASES.json RESULTS.json``. Importing PyTorch takes most of the
time of a small run, so that many of them share it.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from core.config import schema as configuration
from core.control import RunControl
from core.errors import TorchtuiError
from core.events import EpochFinished, Event
from core.runs.code import trust_config
from core.session.other_ranks import prepare_on_all_ranks
from core.session.preparation import prepare
from core.training.context import TrainingContext
from core.training.distributed import SINGLE, Group, explain_lost_rank, process_group
from core.training.engine import train

State = dict[str, Any]


class Kept:
    """Checkpoints that are kept in memory."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    def save(self, state: State, kind: str) -> None:
        """Keep a copy."""
        self.states[kind] = _copied(state["model"])


def _copied(state: State) -> State:
    return {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()}


def trained(values: State, group: Group) -> tuple[State, list[EpochFinished]]:
    """Return weights and epochs of a run of these processes."""
    config = configuration.from_dict(values)
    trust_config(config)
    prepared = prepare_on_all_ranks(
        group, lambda progress: prepare(config, None, progress, ranks=group), lambda *_: None
    )
    told: list[Event] = []
    context = TrainingContext(torch.device("cpu"), group, None, prepared.own_metrics)
    with explain_lost_rank(group):
        result = train(
            prepared.config,
            prepared.data,
            prepared.model,
            context,
            emit=told.append,
            control=RunControl(),
            checkpoints=Kept(),
        )
    assert result.best_weights is not None
    weights = {f"best {key}": value for key, value in result.best_weights.items()}
    epochs = [event for event in told if isinstance(event, EpochFinished)]
    last = {} if prepared.config.training.shard != "none" else _copied(prepared.model.state_dict())
    return weights | last, epochs


def difference(one: State, other: State) -> float:
    """Return the largest difference between two weights, relative to the size of each tensor's values."""
    return max(
        float((mine.double() - other[key].double()).abs().max() / (1 + other[key].double().abs().max()))
        for key, mine in one.items()
        if isinstance(mine, torch.Tensor) and mine.numel()
    )


def compared(values: State, group: Group) -> State:
    """Return how a run of all processes differs from one of the first alone."""
    began = time.perf_counter()
    try:
        weights, epochs = trained(values, group)
    except TorchtuiError as error:
        return {"error": str(error)}
    if group.rank:
        return {}
    alone, lone = trained(values, SINGLE)
    numbers = [
        abs(value - getattr(its, part)[name]) / (1 + abs(value))
        for mine, its in zip(epochs, lone, strict=True)
        for part in ("train", "validation")
        for name, value in getattr(mine, part).items()
    ]
    return {
        "weights": difference(weights, alone),
        "numbers": max(numbers, default=0.0),
        "counts": [epoch.confusion for epoch in epochs] == [epoch.confusion for epoch in lone],
        "best": [epoch.best_epoch for epoch in epochs] == [epoch.best_epoch for epoch in lone],
        "seconds": time.perf_counter() - began,
    }


def main(cases: Path, results: Path) -> None:
    """Compare all cases, in the processes that were started."""
    torch.set_num_threads(1)
    with process_group() as group:
        found = {name: compared(values, group) for name, values in json.loads(cases.read_text()).items()}
    if not group.rank:
        results.write_text(json.dumps(found))


if __name__ == "__main__":
    from core.torchrun import ends_without_finalizing

    with ends_without_finalizing():
        main(Path(sys.argv[1]), Path(sys.argv[2]))
