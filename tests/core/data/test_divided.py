"""Inputs of splits: the same whether they are copied, rearranged where they lie, or read row by row."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.data import divided
from core.data.divided import divide_inputs
from core.data.inputs import Fields
from core.data.mapped import HeldRows
from core.data.sequences import Ragged
from tests.support.repository import REPOSITORY

PARTS = {"train": np.array([1, 3, 4, 8]), "validation": np.array([0, 9]), "test": np.array([2, 5, 6])}


def samples(*shape: int) -> torch.Tensor:
    return torch.arange(10 * int(np.prod(shape))).reshape(10, *shape).float()


@pytest.mark.parametrize("shape", [(3, 5, 5), (2, 3, 3), (4,), ()])
def test_rearranged_inputs_are_those_of_each_split(shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided, "LARGE", 1)
    inputs = samples(*shape)
    found = divide_inputs(inputs, PARTS, owned=True)
    for part, at in PARTS.items():
        assert torch.equal(found[part], samples(*shape)[torch.from_numpy(at)])
        assert found[part].untyped_storage().data_ptr() == inputs.untyped_storage().data_ptr()


def test_what_others_may_use_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided, "LARGE", 1)
    inputs = samples(3, 5, 5)
    read = divide_inputs(inputs, PARTS, owned=False)
    for part, at in PARTS.items():
        assert isinstance(read[part], HeldRows)
        assert torch.equal(read[part][:], samples(3, 5, 5)[torch.from_numpy(at)])
    assert torch.equal(inputs, samples(3, 5, 5))


def test_fields_are_divided_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divided, "LARGE", 1)
    steps = Ragged(torch.arange(20), torch.arange(0, 22, 2))
    found = divide_inputs(Fields({"a": samples(2, 2), "s": steps, "b": samples()}), PARTS, owned=True)
    assert [*found["test"].columns] == ["a", "s", "b"]
    assert torch.equal(found["test"].columns["a"], samples(2, 2)[[2, 5, 6]])
    assert found["test"].columns["s"].one(1).tolist() == [10, 11]


PEAK = """
import sys, numpy as np, torch
from pathlib import Path
from core.config import schema
from core.data.registry import load
from core.user_code.trust import trust
def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024
trust(Path(sys.argv[1]))
data = schema.from_dict({"data": {"name": f"{sys.argv[1]}:make", "feed": "resident", "arguments": {"n": 40}}}).data
load(data)  # libraries
data = data.model_copy(update={"arguments": {"n": 2500}})
before = resident("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
loaded = load(data)
print((resident("VmHWM") - before) / sum(split.inputs.nbytes for split in loaded.splits.values()))
"""
BIG = """
import torch
from torch.utils.data import Dataset
class Big(Dataset):
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, i): return torch.full((3, 200, 200), float(i % 7)), i % 2
def make(n: int): return Big(n)
"""


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="counts the peak of memory on Linux")
def test_a_data_set_takes_little_more_memory_than_its_samples(tmp_path: Path) -> None:
    """Of 1.1 GiB: statistics are computed some samples at a time, which take 0.2 GiB whatever the data."""
    (tmp_path / "big.py").write_text(BIG)
    command = [sys.executable, "-c", PEAK, str(tmp_path / "big.py")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1.3
