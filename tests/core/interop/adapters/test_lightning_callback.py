"""The callback for Lightning reports of an epoch what was logged in that epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from core.events import EpochFinished, StepLogged
from core.runs.log import LogReader

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def told(tmp_path: Path) -> list[Any]:
    """The events of three epochs, every step told."""
    lightning = pytest.importorskip("lightning", reason="lightning is not installed")
    from core.interop.adapters.lightning import RunCallback  # the library costs seconds

    class Counting(lightning.LightningModule):  # type: ignore[misc, name-defined]  # Lightning is not followed
        """Logs 10 * epoch + batch in every way that there is; batches are of 2, 2 and 1 samples."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch: list[torch.Tensor], place: int) -> torch.Tensor:
            number = torch.tensor(10.0 * self.current_epoch + place)
            self.log("train_mean", number, on_step=False, on_epoch=True)
            self.log("train_both", number, on_step=True, on_epoch=True)
            self.log("train_plain", number)
            if place == 1:
                self.log("train_seldom", number)
            loss: torch.Tensor = self.layer(batch[0]).sum() * 0.0 + number
            return loss

        def on_train_epoch_end(self) -> None:
            self.log("train_at_the_end", torch.tensor(100.0 + self.current_epoch))

        def validation_step(self, batch: list[torch.Tensor], place: int) -> None:
            self.log("val_loss", torch.tensor(1.0 + self.current_epoch))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    samples = DataLoader(TensorDataset(torch.zeros(5, 1)), batch_size=2)
    callback = RunCallback("counting", runs_dir=tmp_path)
    trainer = lightning.Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[callback],
        default_root_dir=tmp_path,
    )
    trainer.fit(Counting(), samples, samples)
    assert callback.run is not None
    return LogReader(callback.run.run.log_file).read()


@pytest.mark.slow
def test_an_epoch_is_told_with_its_own_values(told: list[Any]) -> None:
    epochs = [event for event in told if isinstance(event, EpochFinished)]
    assert [event.validation for event in epochs] == [{"loss": 1.0}, {"loss": 2.0}, {"loss": 3.0}]
    for number, event in enumerate(epochs):
        by_samples = 10 * number + (0 * 2 + 1 * 2 + 2 * 1) / 5
        assert event.train == pytest.approx(
            {
                "loss": by_samples,
                "mean": by_samples,
                "both": by_samples,
                "plain": by_samples,
                "seldom": 10 * number + 1,
                "at_the_end": 100 + number,
            }
        )


def test_steps_are_told_with_what_was_logged_in_them(told: list[Any]) -> None:
    steps = [event for event in told if isinstance(event, StepLogged)]
    assert steps
    for event in steps:
        assert not {"mean", "at_the_end"} & set(event.train)
