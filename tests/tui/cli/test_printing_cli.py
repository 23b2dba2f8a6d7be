"""Prints of own code: headless they go where they always went, and spoil no results."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

LOUD = """
import atexit, os, subprocess
import numpy as np
import torch

print("imported")
atexit.register(print, "at exit")

class Net(torch.nn.Module):
    def __init__(self, in_features: int, num_classes: int):
        super().__init__()
        self.layer = torch.nn.Linear(in_features, num_classes)

    def forward(self, x):
        print("forward")
        os.write(1, b"a library\\n")
        return self.layer(x)

def make():
    subprocess.run(["echo", "a process"], check=True)
    return np.eye(40, 4, dtype="float32"), np.arange(40) % 2
"""
SAID = {"imported", "at exit", "forward", "a library", "a process"}
OPTIONS = "--data loud.py:make --model loud.py:Net --device cpu --threads 1"


@pytest.mark.heavy
def test_what_own_code_prints_spoils_no_results(command: Callable[[str], Any], tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    np.save(tmp_path / "new.npy", np.zeros((2, 4), dtype="float32"))
    plain, errors = command(f"train --no-ui {OPTIONS} --epochs 1").communicate()
    assert set(plain.splitlines()) >= SAID, "without --json it goes where it always went"
    assert errors == ""
    for line, said in (
        (f"train --no-ui {OPTIONS} --epochs 2 --json", SAID),
        ("evaluate latest --split train --json", SAID),
        (f"lr-find {OPTIONS} --json", SAID),
        (f"tune --no-ui {OPTIONS} --epochs 1 --trials 1 -p lr=0.1,0.2 --json", {"imported", "at exit"}),
    ):
        process = command(line)
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        assert [json.loads(result) for result in out.splitlines()]
        assert said <= set(errors.splitlines())
    out, errors = command("predict latest new.npy").communicate()
    assert out.startswith("id,class,score_0,score_1\n0,")
    assert len(out.splitlines()) == 3
    assert {"forward", "a library"} <= set(errors.splitlines())
