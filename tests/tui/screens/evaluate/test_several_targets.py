"""Evaluate of a regression of several targets with weights: each target has its own numbers and errors."""

from pathlib import Path

import numpy as np
import pytest

from core.evaluation import residuals
from core.runs.folder import Run
from tests.tui.conftest import TrainHere, Visits
from tui.screens.evaluate.sample_list import SampleList

pytestmark = pytest.mark.slow


@pytest.fixture
def run(train_here: TrainHere, tmp_path: Path) -> Run:
    dice = np.random.default_rng(0)
    inputs, weights = dice.normal(size=(200, 3)), dice.integers(1, 5, size=(200, 1))
    targets = np.hstack([inputs[:, :1] + 5, 900 - 100 * inputs[:, 1:2]]) + dice.normal(size=(200, 2))
    header = "a,b,c,height,mass,w"
    table = np.hstack([inputs, targets, weights])
    np.savetxt(tmp_path / "t.csv", table, "%.5f", ",", header=header, comments="")
    data = {"name": "csv", "path": str(tmp_path / "t.csv"), "target": ["height", "mass"], "weight": "w"}
    return train_here({"data": data})


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
@pytest.mark.heavy
async def test_each_target_has_its_numbers_and_its_errors(
    visit: Visits, run: Run, size: tuple[int, int]
) -> None:
    async with visit(size) as at:
        await at.open(run)
        if size[0] > 100:
            for text in ("2 targets, each in its unit", "height", "mass", "weighted by w, worth"):
                assert text in at.seen()
        await at.open(run, "residuals")
        tab, errors = at.screen.active_tab, residuals(at.predictions)
        for place, name in enumerate(("height", "mass")):
            assert f"{name}, {place + 1} of 2" in at.seen()
            assert tab.query_one(SampleList).positions[0] == np.abs(errors[:, place]).argmax()
            await at.press("n")
        assert "height, 1 of 2" in at.seen()
        await at.press("N")
        assert "mass, 2 of 2" in at.seen()
