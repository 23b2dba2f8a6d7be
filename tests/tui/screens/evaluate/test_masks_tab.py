"""Masks: images beside their masks and the predicted ones, the worst first."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.containers import Vertical

from core.config import schema as configuration
from core.config.schema import to_yaml
from core.evaluation import Predictions
from core.evaluation.segmentation.report import worst_images
from core.runs.folder import Run
from core.tasks.evaluation import evaluate
from tests.support.narrow import instance
from tests.tui.conftest import Visits
from tui.screens.evaluate.masks.masks_tab import MasksTab
from tui.widgets.panel import Panel
from tui.widgets.table import Table

pytestmark = pytest.mark.slow


@pytest.fixture
def evaluated(runs_dir: Path, tmp_path: Path) -> Run:
    """A run of 20 images with masks that was evaluated on made-up answers."""
    dice = np.random.default_rng(0)
    masks = dice.integers(0, 2, (20, 8, 8)).astype(np.uint8)
    folder = tmp_path / "shapes"
    for name, pictures in (("images", masks * 200), ("masks", masks)):
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).save(folder / name / f"{number:02}.png")
    config = configuration.from_dict(
        {"data": {"name": "mask_folder", "path": str(folder)}, "model": {"name": "unet"}}
    )
    from core.data.registry import load

    test = load(config.data).test
    truth = test.targets.numpy()
    answers = np.where(dice.random(truth.shape) < 0.2, 1 - truth, truth).astype(np.uint8)
    answers[1] = truth[1]
    predictions = Predictions(answers, truth, test.indices, False)
    run = Run(runs_dir / "2026-01-01_0900_shapes-unet_abc")
    run.evaluation_folder("test").mkdir(parents=True)
    run.config_file.write_text(to_yaml(config))
    report = evaluate(predictions, task="segmentation", class_names=["0", "1"], split="test")
    predictions.save(run.evaluation_folder("test") / "predictions.npz")
    report.save(run.evaluation_folder("test") / "report.json")
    return run


async def test_the_worst_image_is_shown_beside_its_masks(visit: Visits, evaluated: Run) -> None:
    async with visit() as at:
        await at.open(evaluated, split="test")
        shown = {tab.id for tab in at.screen.query("ContentTab") if tab.display}
        assert shown == {f"--content-tab-tab-{name}" for name in ("summary", "confusion", "epochs", "masks")}
        assert "mean IoU 0." in at.plain("#evaluated-headline")
        seen = at.seen()
        assert "IoU" in seen
        assert "Dice" in seen
        await at.press("t", "t", "t")
        tab = instance(MasksTab, at.screen.active_tab)
        order = worst_images(at.subject.predictions, 100)
        assert tab.positions.tolist() == order.tolist()
        assert len(order) == 3, "an image that is right everywhere is no mistake"
        assert str(at.one("#masks-panel", Panel).border_title) == "the worst first"
        first = at.plain("#masks-classes")
        assert "true" in first
        assert "predicted" in first
        await at.press("down")
        assert at.plain("#masks-classes") != first
        assert at.one("#masks-table", Table).cursor == 1


@pytest.mark.heavy
async def test_it_is_usable_on_a_small_terminal(visit: Visits, evaluated: Run) -> None:
    async with visit((80, 24)) as at:
        await at.open(evaluated, split="test")
        await at.press("t", "t", "t")
        assert "mean IoU" in at.seen()
        assert at.one("#masks-side", Vertical).display
