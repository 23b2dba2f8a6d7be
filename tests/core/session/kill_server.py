"""Trains runs in child processes and kills them at random moments; prints a JSON line for each run that was completed.

    python kill_server.py FOLDER KILLS

Importing torch takes seconds, so it is done once: each attempt is a fork of this process, which has no threads. A
child writes a byte to a pipe at every forward pass, every event and every file of a checkpoint, which says where it is;
a random time after a random number of bytes it is sent SIGKILL, wherever it is by then: in a step, in a validation, in
the middle of writing a checkpoint or the log. `benchmarks.kills` does the same with more configurations and more kills.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import TorchtuiError
from core.events import EpochFinished, EvaluationFinished, Event, RunFinished, RunStarted, from_json
from core.files import atomic, temporary
from core.runs.checkpoints import load_checkpoint, load_latest
from core.runs.folder import Run
from core.runs.summary import summarise
from core.session import session
from core.training import engine

DIGITS = {"name": "digits", "test": 0.6, "validation": 0.2}
RUNS: dict[str, dict[str, Any]] = {
    "mlp with dropout, adam, cosine": {
        "data": DIGITS,
        "model": {"name": "mlp", "hidden": [32, 16], "dropout": 0.3},
        "optimizer": "adam",
        "schedule": "cosine",
    },
    "cnn with dropout, adamw": {
        "data": DIGITS,
        "model": {"name": "cnn", "channels": [2, 4], "hidden": [8], "dropout": 0.2},
        "optimizer": "adamw",
    },
    "linear, momentum, steps, hinge": {
        "data": DIGITS,
        "model": "linear",
        "schedule": {"name": "step", "every": 1, "gamma": 0.5},
        "loss": "hinge",
    },
    "regression, rmsprop": {
        "data": "diabetes",
        "model": "mlp",
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
    },
    "two classes, adagrad, mse": {
        "data": "breast_cancer",
        "model": "mlp",
        "loss": "mse",
        "optimizer": "adagrad",
    },
    "sgd, nothing held out": {"data": {"name": "wine", "validation": 0}, "model": "mlp", "optimizer": "sgd"},
}
WHERE = {
    b"p": "while it was prepared",
    b"t": "in an epoch",
    b"v": "in a validation",
    b"e": "in the evaluation at the end",
    b"f": "after the end",
    b"w": "after a checkpoint was written",
}
"""What the bytes mean that a child writes."""
WRITING, BEFORE = "while a checkpoint was written", "before the first checkpoint"
AIMS = (b"", b"", b"", b"", b"p", b"v", b"e", b"w", b"w")
"""Bytes of which one kind is counted until a kill; all where it is empty. So rare moments are not missed."""
MAX_DELAY = 0.005
"""Seconds from the last byte to the kill."""


def config_of(values: dict[str, Any]) -> TrainConfig:
    fixed = {"epochs": 4, "batch_size": 16, "device": "cpu", "threads": 1, "checkpoint_minutes": 1e-9}
    return configuration.from_dict(configuration.merge({"training": fixed}, values))


def train(folder: Path, config: TrainConfig, pipe: int) -> None:
    """Train a run in this process, from its last checkpoint if there is one; then exit."""
    engine.LOG_SECONDS = engine.SAVE_SECONDS = 0.0  # a checkpoint as often as the one before is written
    engine.MAX_PENDING_STEPS = 1
    where = b"p"
    os.write(pipe, where)
    run = Run(folder)
    state = session.resume_state(run, config)
    prepared = session.prepare(config, None, lambda what, done, total: None)

    def step(module: torch.nn.Module, _: Any) -> None:
        nonlocal where
        if where != b"e":
            where = b"t" if module.training else b"v"
        os.write(pipe, where)

    def hear(event: Event) -> None:
        nonlocal where
        if isinstance(event, RunStarted | EpochFinished):
            where = b"e" if event.epoch == event.epochs else b"t"
        elif isinstance(event, RunFinished):
            where = b"f"
        os.write(pipe, where)

    def write(path: Path, mode: int) -> tuple[Path, int]:
        made = temporary.hidden_file(path, mode)
        if path.parent.name == "checkpoints":
            os.write(pipe, b"w")
        return made

    setattr(atomic, "hidden_file", write)  # noqa: B010  # a name that the module does not export
    prepared.model.register_forward_pre_hook(step)
    finished = session.execute(prepared, run, emit=hear, control=RunControl(), state=state)
    os._exit(0 if finished.status == "completed" else 1)


def attempt(
    folder: Path, config: TrainConfig, moment: int, aim: bytes = b"", delay: float = 0.0
) -> tuple[int, bytes]:
    """Train in a child that is killed `delay` seconds after `moment` bytes of a kind, or of any if `aim` is empty.

    Returns:
        Its wait status, and the bytes it wrote.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            train(folder, config, writing)
        except BaseException:
            traceback.print_exc()
        os._exit(2)
    os.close(writing)
    seen, count = b"", 0
    while count < moment and (got := os.read(reading, 1)):
        seen, count = seen + got, count + (not aim or got == aim)
    if count == moment:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        while got := os.read(reading, 4096):
            seen += got
    os.close(reading)
    return os.waitpid(child, 0)[1], seen


def contents(folder: Path) -> dict[str, bytes]:
    """Return all that must not depend on how often a run was interrupted."""
    run = Run(folder)
    last, best = load_checkpoint(run, "last"), load_checkpoint(run, "best")
    epochs, tests = {}, {}
    for line in run.log_file.read_bytes().splitlines():
        try:
            event = from_json(line)
        except Exception:  # torn by a kill
            continue
        if isinstance(event, EpochFinished):
            kept = {key: value for key, value in vars(event).items() if key not in ("time", "seconds")}
            epochs[event.epoch] = repr(kept)
        elif isinstance(event, EvaluationFinished):
            tests[event.split] = repr(event.metrics)
    progress = {key: value for key, value in last["progress"].items() if not key.endswith("seconds")}
    parts = {
        "weights": last["model"],
        "best weights": best["model"],
        "optimizer": last["optimizer"],
        "own loss": [last.get("loss"), best.get("loss")],
        "own schedule": last.get("schedule"),
        "random state": last["rng"],
        "kept checkpoints": {
            epoch: (kept["model"], kept["optimizer"], kept["rng"])
            for epoch in run.kept_epochs()
            for kept in [load_checkpoint(run, f"epoch-{epoch}")]
        },
        "progress": progress,
        "epochs": dict(sorted(epochs.items())),
        "evaluation": tests,
        "predictions": {
            split: run.evaluation_folder(split).joinpath("predictions.npz").read_bytes() for split in tests
        },
    }
    return {name: as_bytes(part) for name, part in parts.items()}


def bits_lost(expected: bytes, found: bytes) -> int:
    """Count the bits that differ, with all that one of them has more."""
    length = min(len(expected), len(found))
    differing = int.from_bytes(expected[:length]) ^ int.from_bytes(found[:length])
    return differing.bit_count() + 8 * abs(len(expected) - len(found))


def as_bytes(value: Any) -> bytes:
    """All bits of a nested state."""
    if isinstance(value, torch.Tensor):
        return str(value.dtype).encode() + str(tuple(value.shape)).encode() + value.numpy().tobytes()
    if isinstance(value, dict):
        return b"".join(repr(key).encode() + as_bytes(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return b"".join(map(as_bytes, value))
    return repr(value).encode()


def new_folder(parent: Path, name: str, config: TrainConfig) -> Path:
    run = Run(parent / name)
    run.path.mkdir(parents=True)
    (run.path / "config.yaml").write_text(configuration.to_yaml(config))
    run.lock_file.touch()  # as whoever makes a run does, who holds it
    return run.path


def files(folder: Path) -> set[str]:
    """Names of all files in a run's folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def is_damaged(folder: Path) -> bool:
    """Return whether a run could not be resumed."""
    try:
        Run(folder).config()
        load_latest(Run(folder))
    except TorchtuiError:
        return True
    return False


def disturb(
    parent: Path, number: int, name: str, values: dict[str, Any], kills: int
) -> Iterator[dict[str, Any]]:
    """Kill runs of one configuration so many times, and yield the outcome of each run that came to its end."""
    dice = random.Random(number)
    config = config_of(values)
    if config.loss.name == "auto":
        config = config.model_copy(update={"loss": session.prepare(config, None, print).config.loss})
    undisturbed = new_folder(parent, f"{number}-undisturbed", config)
    status, seen = attempt(undisturbed, config, sys.maxsize)
    assert status == 0, f"an undisturbed run completes: {name}"
    expected, done, runs = contents(undisturbed), 0, 0
    while done < kills:
        folder, half_written, damaged = new_folder(parent, f"{number}-{runs}", config), 0, 0
        where: Counter[str] = Counter()
        status, shown = signal.SIGKILL, set()
        while status == signal.SIGKILL:
            is_killed = done + where.total() < kills
            aim = dice.choice(AIMS)
            most = seen.count(aim) if aim else len(seen) // 3
            moment = dice.randint(1, max(1, most)) if is_killed else sys.maxsize
            before = set(folder.glob("checkpoints/.*.tmp"))
            delay = 0.0 if aim == b"w" else dice.uniform(0, MAX_DELAY)
            status, told = attempt(folder, config, moment, aim, delay)
            half_written += any(folder.glob("checkpoints/.*.tmp"))
            if status == signal.SIGKILL:
                is_writing = bool(set(folder.glob("checkpoints/.*.tmp")) - before)
                is_early = not (folder / "checkpoints" / "last.pt").exists()
                where[WRITING if is_writing else BEFORE if is_early else WHERE[told[-1:]]] += 1
            shown.add(status_now := summarise(Run(folder)).status)
            damaged += status_now == "damaged" or is_damaged(folder)
            if "completed" in shown:  # killed or not: its last event was written
                status = 0
        found = contents(folder) if status == 0 else {}
        lost = {part: bits_lost(expected[part], found.get(part, b"")) for part in expected}
        yield {
            "run": name,
            "kills": where.total(),
            "where": dict(where),
            "half_written": half_written,
            "shown": sorted(shown),
            "status": status,
            "wrong": [part for part, bits in lost.items() if bits],
            "bits_lost": sum(lost.values()),
            "damaged": damaged,
            "leftovers": sorted(files(folder) - files(undisturbed)),
        }
        done, runs = done + where.total(), runs + 1


def main(parent: Path, kills: int) -> None:
    """Kill each of the configurations so many times."""
    for number, (name, values) in enumerate(RUNS.items()):
        for outcome in disturb(parent, number, name, values, kills):
            print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports a large part of torch
    main(Path(sys.argv[1]), int(sys.argv[2]))
