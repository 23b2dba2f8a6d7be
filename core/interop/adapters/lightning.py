"""Callback for Lightning: ``Trainer(callbacks=[RunCallback("my-run")])``."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lightning import Callback, LightningModule, Trainer

from core.interop.readers.names import place_of
from core.interop.running_means import Means
from core.interop.writer import RunWriter

__all__ = ["RunCallback"]


class RunCallback(Callback):
    """Writes what a Trainer does as a run, from the process of rank zero.

    Args:
        name: what the run is called.
        config: its settings; by default the module's hyper-parameters.
        options: of `RunWriter`, such as ``classes``.

    Attributes:
        run: None until training starts.
    """

    def __init__(self, name: str, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.name, self.config, self.options = name, config, options
        self.run: RunWriter | None = None
        self._epoch_ended = False
        self._logged: dict[str, Any] = {}
        self._of_batches = Means()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self._logged, self._of_batches = _of_split(trainer, "train"), Means()
        batches = trainer.num_training_batches
        self.run = RunWriter(
            self.name,
            self.config if self.config is not None else dict(pl_module.hparams),
            epochs=max(trainer.max_epochs or 0, 0),
            steps_per_epoch=int(batches) if math.isfinite(batches) else 0,
            parameters=sum(weight.numel() for weight in pl_module.parameters()),
            device=str(pl_module.device),
            **{**_monitored(trainer), **self.options},
        )

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_epoch(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.run is None:
            return
        values = self._new_of_training(trainer)
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if loss is not None:
            values["loss"] = loss * trainer.accumulate_grad_batches
        lr = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else None
        samples = _samples(batch)
        self.run.log(values, lr=lr, n=samples)
        self._of_batches.add(values, samples)
        if self.run.stop_requested:
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._epoch_ended = True  # what the module logs at the end of an epoch comes after this

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._tell_epoch(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        if self.run is not None:
            self._tell_epoch(trainer)
            self.run.fail(exception)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.run is not None:
            self.run.close()

    def _tell_epoch(self, trainer: Trainer) -> None:
        """The epoch that ended before: Lightning's own means over it, or else those of its batches."""
        if self.run is not None and self._epoch_ended:
            train = {**self._of_batches.take(), **self._new_of_training(trainer)}
            self.run.epoch(train, _of_validation(trainer))
        self._epoch_ended = False

    def _new_of_training(self, trainer: Trainer) -> dict[str, Any]:
        """Return the values logged for training since the last call; Lightning keeps older ones beside them.

        A value that was logged again is another tensor, also where its number is the same.
        """
        before, self._logged = self._logged, _of_split(trainer, "train")
        return {
            place_of(name)[1]: value
            for name, value in self._logged.items()
            if name not in before or before[name].data_ptr() != value.data_ptr()
        }


def _monitored(trainer: Trainer) -> dict[str, Any]:
    """Return the metric of validation by which Lightning chooses its checkpoint, as options of `RunWriter`."""
    checkpoint = trainer.checkpoint_callback
    name, mode = getattr(checkpoint, "monitor", None), getattr(checkpoint, "mode", None)
    split, metric = place_of(name) if isinstance(name, str) else ("", "")
    return {"monitor": metric, "mode": mode} if split == "validation" and mode in ("min", "max") else {}


def _of_split(trainer: Trainer, split: str) -> dict[str, Any]:
    """Return the values logged last for a split, by the names that were given."""
    return {name: value for name, value in trainer.callback_metrics.items() if place_of(name)[0] == split}


def _of_validation(trainer: Trainer) -> dict[str, Any]:
    """The metrics of the last validation."""
    logged = _of_split(trainer, "validation")
    return {place_of(name)[1]: value for name, value in logged.items() if not name.endswith("_step")}


def _samples(batch: Any) -> int:
    """Return the samples of a batch: the length of the first tensor in it, or 1 where there is none."""
    if isinstance(batch, Mapping):
        batch = tuple(batch.values())
    if isinstance(batch, tuple | list):
        return next((_samples(part) for part in batch if not isinstance(part, str)), 1)
    shape: Sequence[int] = getattr(batch, "shape", ())
    return max(1, int(shape[0])) if len(shape) else 1
