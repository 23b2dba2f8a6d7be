"""Evaluate of samples with several labels."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from textual.widgets import Input

from core.inference.chosen import label_decisions_of
from core.runs.folder import Run
from tests.support.narrow import instance
from tests.tui.conftest import TrainHere, Visits
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.two_classes.threshold_dialog import ThresholdDialog
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.table import Table

pytestmark = pytest.mark.slow

NARROW = (80, 24)
COLOURS = ("red", "green", "blue")


@pytest.fixture
def run(train_here: TrainHere, tmp_path: Path) -> Run:
    inputs, targets = make_multilabel_classification(200, 6, n_classes=3, random_state=0)
    header = ",".join([*(f"f{place}" for place in range(6)), *COLOURS])
    np.savetxt(tmp_path / "t.csv", np.hstack([inputs, targets]), "%d", ",", header=header, comments="")
    return train_here({"data": {"name": "csv", "path": str(tmp_path / "t.csv"), "target": list(COLOURS)}})


@pytest.mark.heavy
async def test_every_tab_shows_labels(visit: Visits, run: Run) -> None:
    async with visit() as at:
        await at.open(run)
        for name in (
            "F1 (micro)",
            "Hamming loss",
            "subset accuracy",
            "F1 (samples)",
            "3 labels",
            "threshold",
        ):
            assert name in at.seen()
        assert "given wrongly" in at.seen()
        assert "confusion" not in at.screen._tabs_of("multilabel")
        for tab in ("labels", "roc", "pr", "threshold", "calibration", "mistakes"):
            await at.open(run, tab)
            assert "red" in at.seen() or tab == "calibration"
        await at.open(run, "threshold")
        assert "from validation" in at.seen()
        await at.open(run, "calibration")
        assert "reliability, all labels" in at.seen()


@pytest.mark.parametrize("size", [(120, 40), NARROW])
async def test_labels_together_and_one_by_one(visit: Visits, run: Run, size: tuple[int, int]) -> None:
    async with visit(size) as at:
        await at.open(run, "labels")
        tab = at.screen.active_tab
        grid = tab.query_one(ConfusionGrid)
        assert grid.caption.startswith("red predicted with red true: ")
        await at.press("l", "l")
        facts = at.subject.report.per_class[1]
        grid.cursor = (1, 1)
        await at.settle()
        assert grid.caption.startswith(f"true green → predicted green: {facts['tp']} of {facts['support']}")
        grid.cursor = (1, 0)
        await at.press("enter")
        assert len(at.one(SampleList).positions) == facts["fn"]


@pytest.mark.heavy
async def test_mistakes_by_label(visit: Visits, run: Run) -> None:
    async with visit() as at:
        await at.open(run, "mistakes", "test")
        predictions = at.predictions
        wrong = int((predictions.predicted != predictions.targets).any(axis=1).sum())
        assert f"{wrong} samples have wrong labels, of 40, the most of them first" in at.seen()
        await at.press("l")
        facts = at.subject.report.per_class[0]
        assert f"red: missed in {facts['fn']}, given wrongly in {facts['fp']} of 40" in at.seen()
        assert len(at.one(SampleList).positions) == int(facts["fn"] or 0) + int(facts["fp"] or 0)
        await at.press("L")
        assert "have wrong labels" in at.seen()


async def test_a_threshold_is_chosen_for_a_label_or_for_all(visit: Visits, run: Run) -> None:
    async with visit(NARROW) as at:
        await at.open(run, "threshold", "validation")
        usual = [row["threshold"] for row in at.subject.report.per_class]
        at.one("#threshold-classes", Table).cursor = 1
        await at.settle()
        await at.press("c")
        dialog = instance(ThresholdDialog, at.app.screen)
        assert "the label green?" in at.text(dialog.query_one(".question"))
        dialog.query_one("#rule-recall", Input).value = "1"
        await at.settle()
        await at.press("down", "down", "enter")
        assert {*label_decisions_of(run)} == {"green"}
        rows = at.subject.report.per_class
        assert rows[1]["recall"] == 1
        assert [rows[0]["threshold"], rows[2]["threshold"]] == [usual[0], usual[2]]
        await at.press("c")
        dialog = instance(ThresholdDialog, at.app.screen)
        dialog.query_one("#rule-recall", Input).value = "1"
        await at.settle()
        await at.press("down", "down", "a")
        assert [row["recall"] for row in at.subject.report.per_class] == [1, 1, 1]
        await at.press("c", "end", "a")
        assert [row["threshold"] for row in at.subject.report.per_class] == usual
