"""Callback for the Trainer of Hugging Face's transformers: ``Trainer(..., callbacks=[RunCallback("my-run")])``."""

import math
import sys
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.interop.readers.names import place_of
from core.interop.writer import RunWriter

__all__ = ["RunCallback"]

TIMES = ("runtime", "per_second")
"""Suffixes of the speed metrics that the Trainer logs."""


class RunCallback(TrainerCallback):
    """Writes what a Trainer does as a run, from the main process.

    The Trainer does not report exceptions to callbacks: a script that ends with one leaves an interrupted run.

    Args:
        name: what the run is called.
        config: its settings; by default learning rate, batch size, epochs or steps, and seed of the arguments.
        options: of `RunWriter`, such as ``classes``.

    Attributes:
        run: None until training starts.
    """

    def __init__(self, name: str, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.name, self.config, self.options = name, config, options
        self.run: RunWriter | None = None
        self._validation: dict[str, float] = {}
        self._epoch_ended = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        model = others.get("model")
        self.run = RunWriter(
            self.name,
            self.config if self.config is not None else _settings(args),
            epochs=state.num_train_epochs if state.num_train_epochs < sys.maxsize else 0,
            steps_per_epoch=min(_steps_per_epoch(others.get("train_dataloader"), args), state.max_steps),
            parameters=sum(weight.numel() for weight in model.parameters()) if model is not None else 0,
            device=str(args.device),
            **{**_monitored(args), **self.options},
        )

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> None:
        if self.run is None or logs is None or "loss" not in logs:
            return
        values = {
            metric: logs[name] for name in logs for where, metric in [place_of(name)] if where == "train"
        }
        self.run.log(values, step=state.global_step, lr=logs.get("learning_rate"))

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        if self.run is not None and self.run.stop_requested:
            control.should_training_stop = True

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._tell_epoch()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._epoch_ended = True

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float] | None = None,
        **others: Any,
    ) -> None:
        places = {name: place_of(name) for name in metrics or {} if not name.endswith(TIMES)}
        self._validation = {
            metric: (metrics or {})[name] for name, (where, metric) in places.items() if where == "validation"
        }

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        self._tell_epoch()
        if self.run is not None:
            self.run.close()

    def _tell_epoch(self) -> None:
        """The epoch that ended before, with what was evaluated since."""
        if self.run is not None and self._epoch_ended:
            self.run.epoch(validation=self._validation)
        self._epoch_ended, self._validation = False, {}


def _steps_per_epoch(batches: Any, args: TrainingArguments) -> int:
    """Steps of one pass over some batches; 0 for those that have no length."""
    try:
        steps: int = math.ceil(len(batches) / args.gradient_accumulation_steps)
    except TypeError:
        return 0
    return steps


def _monitored(args: TrainingArguments) -> dict[str, Any]:
    """Return the metric by which the Trainer chooses its best model, as options of `RunWriter`."""
    name, higher = args.metric_for_best_model, args.greater_is_better
    if name is None or higher is None:
        return {}
    return {"monitor": place_of(name)[1], "mode": "max" if higher else "min"}


def _settings(args: TrainingArguments) -> dict[str, Any]:
    length = {"max_steps": args.max_steps} if args.max_steps > 0 else {"epochs": args.num_train_epochs}
    return {
        **length,
        "lr": args.learning_rate,
        "batch_size": args.per_device_train_batch_size,
        "seed": args.seed,
        "weight_decay": args.weight_decay,
    }
