"""Runs with a loss or a training step of the user's own, exported: what ``predict.py`` says is what the run says."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.export.export import export
from core.session.evaluation import score_inputs, trained_model
from core.user_code.trust import trust
from tests.support.fixtures import TrainRun
from tests.support.repository import REPOSITORY

SUPPORT = REPOSITORY / "tests" / "support"
OUTPUTS = [f"output_{place}" for place in range(10)]
SCORES = ["class", *(f"score_{digit}" for digit in range(10))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "file", "to", "head"),
    [
        ({"loss": "Heavy"}, "own_training.py", "onnx", SCORES),
        ({"model": "Classifier"}, "own_steps.py", "pt2", OUTPUTS),
    ],
)
def test_predict_prints_the_outputs_of_the_run(
    own: dict[str, str], file: str, to: str, head: list[str], train_run: TrainRun, tmp_path: Path
) -> None:
    """There may be as many outputs as classes, and yet they need not be scores of classes."""
    if to == "onnx":
        pytest.importorskip("onnxscript")
    trust(SUPPORT / file)
    config: dict[str, Any] = {
        part: {"name": "python", "path": f"{SUPPORT / file}:{name}"} for part, name in own.items()
    }
    run = train_run({"data": "digits", **config, "training": {"epochs": 1}}).run
    export(run, to, tmp_path / "out", data_root=None, progress=lambda what, done, total: None)
    inputs = np.random.default_rng(0).uniform(0, 16, (3, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "new.npy", inputs)
    command = [sys.executable, str(tmp_path / "out" / "predict.py"), str(tmp_path / "new.npy")]
    table = list(csv.reader(io.StringIO(subprocess.check_output(command, text=True))))
    assert table[0] == head
    trained = trained_model(run, data_root=None, progress=lambda what, done, total: None)
    expected = score_inputs(trained, torch.from_numpy(inputs))
    np.testing.assert_allclose(np.array(table[1:], float)[:, -10:], expected, atol=1e-5)
