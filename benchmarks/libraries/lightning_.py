"""Lightning: a LightningModule that logs loss and accuracy; checkpoints, logger and progress bar left out."""

import logging
import warnings
from collections.abc import Callable

import lightning
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset


class Module(lightning.LightningModule):
    """A network as Lightning wants it."""

    def __init__(self, model: nn.Module, lr: float) -> None:
        super().__init__()
        self.model, self.lr = model, lr

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        inputs, targets = batch
        outputs = self.model(inputs)
        loss = cross_entropy(outputs, targets)
        self.log("loss", loss, on_step=False, on_epoch=True)
        self.log("accuracy", (outputs.argmax(dim=1) == targets).float().mean(), on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float, precision: str = "fp32"
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    warnings.filterwarnings("ignore")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    batches = DataLoader(TensorDataset(inputs, targets), batch_size=batch_size, shuffle=True)
    on_gpu = next(model.parameters()).is_cuda
    module = Module(model, lr)

    def epoch() -> None:
        trainer = lightning.Trainer(
            max_epochs=1,
            accelerator="gpu" if on_gpu else "cpu",
            devices=1,
            precision="bf16-mixed" if precision == "bf16" else "32-true",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, batches)

    return epoch
