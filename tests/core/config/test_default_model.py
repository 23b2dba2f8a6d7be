"""A configuration that names no network gets one that takes its data; one that is named stays."""

from pathlib import Path

import pytest

from core.config.default_model import with_fitting_model
from core.config.schema import from_dict, to_dict, to_given
from core.data.registry import load
from core.runs.creating import create_run
from core.tuning.search.plan import make_plan, plan_from_dict
from core.user_code.trust import trust

SOURCE = """
import numpy as np
from torch.utils.data import Dataset
DRAWN = np.random.default_rng(0)
CLASSES = np.arange(60) % 2
def table():
    return DRAWN.normal(size=(60, 4)), CLASSES
def masks():
    images = DRAWN.random((60, 1, 8, 8), dtype="f4")
    return images, (images[:, 0] > 0.5).astype(int)
class Pairs(Dataset):
    images, masks = masks()
    def __len__(self):
        return 60
    def __getitem__(self, at):
        return self.images[at], self.masks[at]
def streamed_masks():
    return Pairs()
def ids():
    return [[*range(2 + at % 5)] for at in range(60)], CLASSES
def signals():
    return [DRAWN.normal(size=(2 + at % 5, 3)) for at in range(60)], CLASSES
"""


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("table", "mlp"),
        ("masks", "unet"),
        ("streamed_masks", "unet"),
        ("ids", "text_bag"),
        ("signals", "gru"),
    ],
)
def test_data_of_your_own_gets_a_network_that_takes_it(tmp_path: Path, name: str, model: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(SOURCE, encoding="utf-8")
    trust(file)
    given = {"data": {"name": f"{file}:{name}"}, "training": {"epochs": 7}}
    config = from_dict(given)
    data = load(config.data)
    found, note = with_fitting_model(config, data)
    assert found.model.name == model
    assert found.training.epochs == 7
    assert ("model.name sets another" in note) == (model != "mlp")
    assert with_fitting_model(from_dict(to_dict(found)), data) == (found, "")
    named = from_dict({**given, "model": {"name": "mlp"}})
    assert with_fitting_model(named, data) == (named, "")


def test_a_network_that_nobody_named_is_left_to_the_process_that_loads_the_data(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(SOURCE, encoding="utf-8")
    trust(file)
    config = from_dict({"data": {"name": f"{file}:masks"}})
    plan = make_plan(config, {"optimizer.lr": {"low": 0.1, "high": 1.0}}, method="random", trials=1)
    handed_on = (
        create_run(tmp_path / "runs", config).config(),
        plan_from_dict(plan.to_dict()).space.config({"optimizer.lr": 0.5}),
    )
    data = load(config.data)
    for each in handed_on:
        assert with_fitting_model(each, data)[0].model.name == "unet"
    named = from_dict({"data": {"name": f"{file}:masks"}, "model": {"name": "mlp"}})
    assert to_given(named) == to_dict(named)
    assert create_run(tmp_path / "runs", named).config().model_fields_set >= {"model"}
