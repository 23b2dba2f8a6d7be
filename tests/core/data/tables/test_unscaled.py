"""Tables whose numbers are left as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config.schema import from_dict
from core.data.registry import load
from core.errors import DataError
from core.inference.inputs import read_inputs
from core.session.evaluation import trained_model
from core.user_code.trust import trust
from tests.support.fixtures import TrainRun

ROWS = 60
LOOKING_UP = """
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.table = nn.Embedding(10, 4)
        self.out = nn.Linear(4, num_classes)

    def forward(self, inputs):
        return self.out(self.table(inputs).mean(dim=1))
"""


def written(folder: Path, *columns: list[Any]) -> dict[str, Any]:
    """Write columns and a class; return the fields that name the table, its numbers unscaled."""
    names = [f"c{at}" for at in range(len(columns))]
    lines = [",".join([*map(str, row), "ab"[at % 2]]) for at, row in enumerate(zip(*columns, strict=True))]
    (folder / "table.csv").write_text("\n".join([",".join([*names, "target"]), *lines]))
    return {"name": "csv", "path": str(folder / "table.csv"), "target": "target", "scaling": "none"}


def test_numbers_stay_and_missing_ones_are_filled(tmp_path: Path) -> None:
    numbers: list[Any] = [1000 + at / 4 for at in range(ROWS)]
    numbers[10] = ""
    data = load(from_dict({"data": written(tmp_path, numbers)}).data)
    for split in data.splits.values():
        for row, (value,) in zip(split.indices.tolist(), torch.as_tensor(split.inputs).tolist(), strict=True):
            assert value == numbers[row] if row != 10 else 1000 < value < 1015
    assert not data.whole


def test_what_float32_would_not_tell_apart_is_refused(tmp_path: Path) -> None:
    fields = written(tmp_path, [1.7e9 + at % 3 for at in range(ROWS)])
    with pytest.raises(DataError, match=r"data\.scaling: none, but c0 has values that differ by less"):
        load(from_dict({"data": fields}).data)
    assert load(from_dict({"data": fields | {"scaling": "standardise"}}).data)


def test_whole_numbers_reach_a_network_that_looks_them_up(tmp_path: Path, train_run: TrainRun) -> None:
    dice = np.random.default_rng(0)
    fields = written(tmp_path, *dice.integers(10, size=(3, ROWS)).tolist())
    (tmp_path / "net.py").write_text(LOOKING_UP)
    trust(tmp_path / "net.py")
    values = {"data": fields, "model": {"name": f"{tmp_path / 'net.py'}:Net"}, "training": {"epochs": 1}}
    run = train_run(values).run
    trained = trained_model(run, samples=False)
    assert trained.data.ids
    given = read_inputs(tmp_path / "table.csv", trained.data)
    assert torch.equal(given.inputs, given.inputs.round())
