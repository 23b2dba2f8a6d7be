"""Weights divided among two and four processes: the run is that of one process, and any number resumes and reads it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.events import EpochFinished, LayersSampled, Notice
from core.runs.checkpoints import load_checkpoint, load_weights
from core.runs.folder import Run, find_run
from core.runs.log import all_events
from tests.support.repository import REPOSITORY

DEMANDING = {
    "data": "digits",
    "model": {"name": "residual_mlp", "width": 32, "blocks": 3, "dropout": 0},
    "optimizer": {"name": "adam", "lr": 0.01},
    "training": {
        "batch_size": 36,
        "accumulate": 2,
        "clip_norm": 1.0,
        "ema": 0.9,
        "epochs": 1,
        "patience": 5,
        "watch_layers": True,
        "shard": "fsdp",
        "activation_checkpointing": True,
    },
}
"""1,293 training samples: the last step of an epoch has 69, in two parts of 36 and 33; three batches validate."""


def torchrun(folder: Path, processes: int, *options: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        str(processes),
    ]
    command += ["-m", "tui", "train", "--no-ui", "--runs", "several", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def events_of(run: Run, kind: type[Any]) -> list[Any]:
    return [event for event in all_events(run.log_file) if isinstance(event, kind)]


def assert_alike(one: Run, other: Run) -> None:
    """Weights, their average, and the reported numbers of each epoch agree, except for the order of sums."""
    ours, theirs = (load_checkpoint(run, "last") for run in (one, other))
    assert ours.keys() == theirs.keys()
    for part in ("model", "ema"):
        assert ours[part].keys() == theirs[part].keys()
        assert all(torch.allclose(value, theirs[part][key], atol=1e-4) for key, value in ours[part].items())
    for mine, its in zip(events_of(one, EpochFinished), events_of(other, EpochFinished), strict=True):
        assert mine.train == pytest.approx(its.train, abs=1e-4)
        assert mine.validation == pytest.approx(its.validation, abs=1e-4)
        assert (mine.confusion, mine.step, mine.best_epoch) == (its.confusion, its.step, its.best_epoch)


@pytest.mark.heavy
def test_two_processes_then_four_then_one_train_as_one(tmp_path: Path, train_run: Callable[..., Any]) -> None:
    fixed = {"training": {"device": "cpu", "threads": 1, "baselines": "none"}}
    values = configuration.merge(fixed, DEMANDING)
    (tmp_path / "run.yaml").write_text(json.dumps(values))
    torchrun(tmp_path, 2, "--config", "run.yaml")
    several = find_run(tmp_path / "several", "latest")
    alone = train_run(values)
    assert_alike(several, alone.run)
    checkpoints = several.path / "checkpoints"
    assert len([*checkpoints.glob("parts-*/2-of-2.pt")]) >= 2
    index = torch.load(several.checkpoint_file("best"), weights_only=True)
    assert all(value is None for key, value in index["model"].items() if key.endswith("weight"))
    told = [notice.message for notice in events_of(several, Notice)]
    assert any("memory of each of 2 processes" in message for message in told), told
    assert any("one process keeps all weights" in notice.message for notice in alone.told(Notice))
    ours, theirs = events_of(several, LayersSampled)[0], alone.told(LayersSampled)[0]
    assert (ours.names, ours.kinds) == (theirs.names, theirs.kinds)
    assert ours.gradients == pytest.approx(theirs.gradients, rel=1e-3)
    assert ours.weights == pytest.approx(theirs.weights, rel=1e-4)

    torchrun(tmp_path, 4, "--resume", "latest", "--epochs", "2")
    train_run({"training": {"epochs": 2}}, run=alone.run)
    assert_alike(several, alone.run)
    assert len([*checkpoints.glob("parts-*/4-of-4.pt")]) >= 2

    train_run({"training": {"epochs": 3}}, run=several)
    train_run({"training": {"epochs": 3}}, run=alone.run)
    assert_alike(several, alone.run)
    ours, theirs = load_weights(several)[0], load_weights(alone.run)[0]
    assert all(torch.allclose(value, theirs[key], atol=1e-4) for key, value in ours.items())
