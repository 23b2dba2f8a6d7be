"""Trains runs in child processes and kills them at random moments; prints a JSON line for each run that was completed.

    python kill_server.py FOLDER KILLS

Importing torch takes seconds, so it is done once: each attempt is a fork of this process, which has no threads. A
child writes a byte to a pipe at every forward pass and every event; after a random number of bytes it is sent SIGKILL,
wherever it is by then: in a step, in a validation, in the middle of writing a checkpoint or the log.
"""

import hashlib
import json
import os
import random
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import torch

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.events import EpochFinished, EvaluationFinished, from_json
from core.runs.checkpoints import load_checkpoint
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
    "regression, rmsprop": {"data": "diabetes", "optimizer": {"name": "rmsprop", "momentum": 0.5}},
    "two classes, adagrad, mse": {"data": "breast_cancer", "loss": "mse", "optimizer": "adagrad"},
    "sgd, nothing held out": {"data": {"name": "wine", "validation": 0}, "optimizer": "sgd"},
}


def config_of(values: dict[str, Any]) -> TrainConfig:
    fixed = {"epochs": 4, "batch_size": 16, "device": "cpu", "threads": 1, "checkpoint_minutes": 1e-9}
    return configuration.from_dict(configuration.merge({"training": fixed}, values))


def train(folder: Path, config: TrainConfig, pipe: int) -> None:
    """Train a run in this process, from its last checkpoint if there is one; then exit."""
    engine.LOG_SECONDS = engine.SAVE_SECONDS = 0.0  # a checkpoint as often as the one before is written
    engine.MAX_PENDING_STEPS = 1
    run = Run(folder)
    state = session.resume_state(run, config)
    prepared = session.prepare(config, None, lambda what, done, total: None)

    def tell(*_: Any) -> None:
        os.write(pipe, b".")

    prepared.model.register_forward_pre_hook(tell)
    finished = session.execute(prepared, run, emit=tell, control=RunControl(), state=state)
    os._exit(0 if finished.status == "completed" else 1)


def attempt(folder: Path, config: TrainConfig, moment: int) -> tuple[int, int]:
    """Train in a child that is killed after `moment` bytes; its wait status, and the bytes it wrote."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            train(folder, config, writing)
        except BaseException:
            traceback.print_exc()
        os._exit(2)
    os.close(writing)
    seen = 0
    while seen < moment and (got := os.read(reading, min(moment - seen, 4096))):
        seen += len(got)
    if seen == moment:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    return os.waitpid(child, 0)[1], seen


def fingerprint(folder: Path) -> dict[str, str]:
    """Hashes of all that must not depend on how often a run was interrupted."""
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
        "random state": last["rng"],
        "progress": progress,
        "epochs": dict(sorted(epochs.items())),
        "evaluation": tests,
    }
    return {name: hashlib.sha256(as_bytes(part)).hexdigest() for name, part in parts.items()}


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
    return run.path


def main(parent: Path, kills: int) -> None:
    """Spread `kills` over all configurations; each is completed in between as often as it comes to its end."""
    for number, (name, values) in enumerate(RUNS.items()):
        dice = random.Random(number)
        config = config_of(values)
        config = config.model_copy(update={"loss": session.prepare(config, None, print).config.loss})
        undisturbed = new_folder(parent, f"{number}-undisturbed", config)
        status, length = attempt(undisturbed, config, sys.maxsize)
        assert status == 0, "an undisturbed run completes"
        expected, done, runs = fingerprint(undisturbed), 0, 0
        while done < kills:
            folder, killed, half_written = new_folder(parent, f"{number}-{runs}", config), 0, 0
            status, shown = signal.SIGKILL, set()
            while status == signal.SIGKILL:
                moment = dice.randint(1, length // 3) if done + killed < kills else sys.maxsize
                status, _ = attempt(folder, config, moment)
                killed += status == signal.SIGKILL
                half_written += any(folder.glob("checkpoints/.*.tmp"))
                shown.add(summarise(Run(folder)).status)
                if "completed" in shown:  # killed or not: its last event was written
                    status = 0
            found = fingerprint(folder) if status == 0 else {}
            wrong = [part for part in expected if found.get(part) != expected[part]]
            told = {"run": name, "kills": killed, "half_written": half_written, "shown": sorted(shown)}
            print(json.dumps({**told, "status": status, "wrong": wrong}), flush=True)
            done, runs = done + killed, runs + 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports a large part of torch
    main(Path(sys.argv[1]), int(sys.argv[2]))
