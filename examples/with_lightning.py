"""A LightningModule that `tui` follows: one callback.

python examples/with_lightning.py      # and meanwhile, in another terminal: tui watch
"""

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from core.adapters.lightning import RunCallback


class Digits(lightning.LightningModule):
    """A small classifier of handwritten digits."""

    def __init__(self, lr: float = 0.01, hidden: int = 32) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layers = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def training_step(self, batch: tuple[Tensor, Tensor], place: int) -> Tensor:
        loss = cross_entropy(self.layers(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], place: int) -> None:
        scores = self.layers(batch[0])
        self.log("val_loss", cross_entropy(scores, batch[1]))
        self.log("val_acc", (scores.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])


lightning.seed_everything(0)
digits = load_digits()
samples = TensorDataset(torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target))
train, validation = torch.utils.data.random_split(samples, [1500, 297])
trainer = lightning.Trainer(
    max_epochs=3,
    accelerator="cpu",
    callbacks=[RunCallback("with-lightning")],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
)
trainer.fit(Digits(), DataLoader(train, batch_size=64, shuffle=True), DataLoader(validation, batch_size=297))
