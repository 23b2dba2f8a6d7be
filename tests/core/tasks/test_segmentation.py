"""A run of segmentation from its data to its report: numbers, resume, masks of new images, exports, comparison."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.control import RunControl
from core.data.registry import load
from core.events import EpochFinished
from core.export.export import export
from core.inference.inputs import read_inputs
from core.inference.mask_files import write_masks
from core.inference.stored import load_evaluation
from core.report.build import build
from core.runs.checkpoints import load_weights
from core.runs.folder import Run
from core.session.evaluation import score_inputs, trained_model
from core.training.metrics.epoch_metrics import EpochMetrics
from tests.support.fixtures import TrainRun
from tests.support.sources import sources

SIZE, N = 12, 40


def shapes(folder: Path) -> Path:
    """Write noisy images with a bright square, a mask beside each; the first row counts nowhere."""
    dice = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(N):
        mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
        top, left = dice.integers(1, SIZE - 5, 2)
        mask[top : top + 5, left : left + 5] = 1
        image = (60 + 120 * mask + dice.normal(0, 45, mask.shape)).clip(0, 255).astype(np.uint8)
        mask[0] = 255
        if number == 0:
            mask[1, 0] = 2
        Image.fromarray(image).save(folder / "images" / f"{number:02}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02}.png")
    return folder


def settings(folder: Path, **training: Any) -> dict[str, Any]:
    return {
        "data": {"name": "mask_folder", "path": str(folder), "augment": ["flip"]},
        "model": {"name": "unet", "depth": 1, "width": 4},
        "optimizer": {"name": "adam", "lr": 0.02},
        "training": {"epochs": 3, "batch_size": 8, "baselines": "none", **training},
    }


@pytest.mark.heavy
def test_a_run_learns_and_is_evaluated_written_exported_and_reported(
    tmp_path: Path, train_run: TrainRun
) -> None:
    folder = shapes(tmp_path / "shapes")
    trained = train_run(settings(folder, metrics=["mean_dice"], epochs=8))
    epochs = [event for event in trained.events if isinstance(event, EpochFinished)]
    assert set(epochs[-1].train) == {"loss", "pixel_accuracy"}
    assert list(epochs[-1].validation) == ["loss", "pixel_accuracy", "mean_iou", "mean_dice"]
    assert epochs[-1].train["pixel_accuracy"] > 0.9
    evaluation = load_evaluation(trained.run, "test")
    report = evaluation.report
    assert (report.metrics["mean_iou"] or 0) > 0.55, "two of three classes are learned"
    assert report.metrics["pixel_accuracy"] == pytest.approx(0.94, abs=0.05)

    answered = trained_model(trained.run, samples=False)
    given = read_inputs(folder / "images", answered.data)
    masks = score_inputs(answered, given.inputs).argmax(axis=1).astype(np.uint8)
    write_masks(given.ids, masks, tmp_path / "out")
    for place in (0, 7):
        written = Image.open(tmp_path / "out" / given.ids[place])
        assert written.mode == "P"
        assert np.array_equal(np.asarray(written), masks[place])
    positions = evaluation.predictions.indices[:3]
    assert np.array_equal(masks[positions], evaluation.predictions.scores[:3])

    exported = export(trained.run, "pt2", tmp_path / "exported", data_root=None, progress=lambda *_: None)
    assert exported.difference is not None
    assert exported.difference < 1e-4
    page = build([trained.run])
    for text in ("mean IoU", "Worst images", "Image, mask and predicted mask.", "Dice"):
        assert text in page


@pytest.mark.slow
def test_it_resumes_bit_for_bit_in_the_middle_of_an_epoch(tmp_path: Path, train_run: TrainRun) -> None:
    folder = shapes(tmp_path / "shapes")

    def stop(control: RunControl, model: torch.nn.Module) -> None:
        control.stop()

    whole = train_run(settings(folder)).run
    part = train_run(settings(folder), at_step=(6, stop)).run
    resumed = train_run(run=part).run
    for name, weight in load_weights(whole)[0].items():
        assert torch.equal(weight, load_weights(resumed)[0][name])
    assert _epochs(whole) == _epochs(resumed)


def _epochs(run: Run) -> list[dict[str, float]]:
    from core.runs.log import all_events

    events = [event for event in all_events(run.log_file) if isinstance(event, EpochFinished)]
    return [{**event.train, **event.validation} for event in events]


def test_what_an_epoch_reports_is_what_the_evaluation_says(tmp_path: Path) -> None:
    from core.config import schema as configuration
    from core.data.batches import Batches
    from core.losses import CrossEntropy
    from core.models.registry import build as build_model
    from core.tasks.registry import task_of
    from core.training.validation import validate

    config = configuration.from_dict(settings(shapes(tmp_path / "shapes"), metrics=["mean_dice"]))
    data, loss = load(config.data), CrossEntropy()
    model = build_model(config.model, data, seed=0)
    measured = validate(
        model,
        Batches(data.validation, data, torch.device("cpu")),
        loss.build(data.target_facts),
        data,
        metrics=EpochMetrics(config, data, (), loss),
        scorer=loss,
    )
    assert measured is not None
    numbers, counted = measured
    from core.inference.predict import predict

    predictions = predict(model, "validation", data, loss, torch.device("cpu"))
    report = task_of(data.task).evaluate(
        predictions, class_names=data.class_names, split="validation", seed=0, intervals=False
    )
    assert counted.confusion == report.confusion
    for name in ("pixel_accuracy", "mean_iou", "mean_dice"):
        assert numbers[name] == pytest.approx(report.metrics[name])


def test_its_name_and_its_metrics_stand_in_its_own_modules_and_the_tables_of_metrics_alone() -> None:
    own = re.compile(
        r"core/(tasks|evaluation|data/masks)/.*(segmentation|masks)|core/evaluation/segmentation/"
    )
    name = re.compile(r"""["'](segmentation|pixel_accuracy|mean_iou|mean_dice)["']""")
    naming = {path for path, text in sources().items() if name.search(text)}
    assert {file for file in naming if not own.search(file)} == {
        "core/metrics.py",
        "tui/forms/guide/meanings.py",
    }
