"""The examples, run as they stand, each a run that the product lists and follows."""

import runpy
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from core.events import EpochFinished, StepLogged
from core.runs.folder import find_run
from core.runs.log import LogReader
from core.runs.media.stored import media_of
from core.runs.summary import RunSummary, summarise
from tests.support.narrow import some
from tests.support.repository import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
Example = Callable[[str], RunSummary]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    def example(name: str) -> RunSummary:
        monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{name}.py"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of other libraries
            runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return summarise(find_run(tmp_path / "runs", "latest"))

    return example


def check(summary: RunSummary, epochs: int) -> None:
    assert (summary.status, summary.epoch, summary.epochs) == ("completed", epochs, epochs)
    assert summary.metrics["accuracy"] > 0.7
    assert summary.metrics["loss"] < 1.0
    assert summary.config["optimizer"]["lr"] > 0
    events = LogReader(summary.run.log_file).read()
    steps = [event for event in events if isinstance(event, StepLogged)]
    assert steps
    assert all("loss" in event.train for event in steps)
    last = [event for event in events if isinstance(event, EpochFinished)][-1]
    assert last.train["loss"] < 1.5
    assert last.step == max(event.step for event in steps) or last.step % epochs == 0


def test_a_plain_loop(example: Example) -> None:
    summary = example("plain_loop")
    check(summary, 5)
    assert some(summary.evaluation["validation"]["accuracy"]) > 0.7
    assert summary.run.checkpoint_file("best").is_file()


@pytest.mark.slow
def test_images_texts_and_histograms(example: Example) -> None:
    run = example("looks").run
    assert {name: len(events) for name, events in media_of(run).items.items()} == {
        "made": 10,
        "pixels": 10,
        "in words": 10,
    }


@pytest.mark.slow
def test_lightning(example: Example) -> None:
    pytest.importorskip("lightning", reason="lightning is not installed")
    check(example("with_lightning"), 3)


@pytest.mark.slow
def test_hugging_face(example: Example) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed, which transformers' Trainer needs")
    check(example("with_huggingface"), 3)


@pytest.mark.slow
def test_lightning_tells_why_a_run_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")
    from lightning.pytorch.demos.boring_classes import BoringModel

    from core.interop.adapters.lightning import RunCallback

    class Broken(BoringModel):  # type: ignore[misc]  # Lightning is not followed, so its classes are Any
        def training_step(self, batch: object, place: int) -> object:
            if place == 1:
                raise ValueError("out of cheese")
            return super().training_step(batch, place)

    callback = RunCallback("broken", runs_dir=tmp_path)
    trainer = lightning.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[callback],
        default_root_dir=tmp_path,
    )
    with pytest.raises(ValueError, match="out of cheese"):
        trainer.fit(Broken())
    summary = summarise(some(callback.run).run)
    assert (summary.status, summary.error) == ("failed", "ValueError: out of cheese")
