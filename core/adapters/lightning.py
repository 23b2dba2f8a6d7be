"""For Lightning: ``Trainer(callbacks=[RunCallback("my-run")])``."""

import math
from collections.abc import Mapping
from typing import Any

from lightning import Callback, LightningModule, Trainer

from core.foreign.names import place_of
from core.writer import RunWriter

__all__ = ["RunCallback"]


class RunCallback(Callback):
    """Writes what a Trainer does as a run, from the process of rank zero.

    Args:
        name: what the run is called.
        config: its settings; by default the module's hyper-parameters.
        options: of `RunWriter`, such as ``classes``.

    Attributes:
        run: None until training begins.
    """

    def __init__(self, name: str, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.name, self.config, self.options = name, config, options
        self.run: RunWriter | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        batches = trainer.num_training_batches
        self.run = RunWriter(
            self.name,
            self.config if self.config is not None else dict(pl_module.hparams),
            epochs=max(trainer.max_epochs or 0, 0),
            steps_per_epoch=int(batches) if math.isfinite(batches) else 0,
            parameters=sum(weight.numel() for weight in pl_module.parameters()),
            device=str(pl_module.device),
            **self.options,
        )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.run is None:
            return
        values = _metrics(trainer, "train")
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if loss is not None:
            values["loss"] = loss * trainer.accumulate_grad_batches
        lr = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else None
        self.run.log(values, lr=lr)
        if self.run.stop_requested:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.run is not None:
            self.run.epoch(validation=_metrics(trainer, "validation"))

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.run is not None:
            self.run.fail(exception)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.run is not None:
            self.run.close()


def _metrics(trainer: Trainer, split: str) -> dict[str, Any]:
    """What was logged last for a split; for training not the means of the epoch before."""
    places = {
        name: place_of(name)
        for name in trainer.callback_metrics
        if split == "validation" or not name.endswith("_epoch")
    }
    return {
        metric: trainer.callback_metrics[name]
        for name, (where, metric) in places.items()
        if where == split and not (split == "validation" and name.endswith("_step"))
    }
