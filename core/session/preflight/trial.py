"""A copy of the network with what trains it, to be tried out."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.data.batches import Batch, Batches
from core.data.dataset import Split
from core.data.inputs import map_inputs
from core.errors import TorchtuiError
from core.models.copies import copied_or_built
from core.session.preflight.failures import explained, wrong_outputs
from core.session.preflight.watch import Watched
from core.tasks.registry import task_of
from core.torch_private import writes_into
from core.training.context import TrainingContext
from core.training.memory import is_shortage
from core.training.own.learner import learner_for

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Trial"]

SEED = 20_011
"""Set before each call: another seed afterwards is one that the network has set."""


class Trial:
    """One copy. The learning rate is 0: what is found is the network's, not that of a step that was too large.

    Attributes:
        not_copied: why the network was built anew in place of a copy; empty for a copy.
        loss, returned: of the last training step, what the network returned if that can be seen.
        changed: which of outputs and targets have been written into after the network returned in that step.
        evaluated: what it returned in the last evaluation.
        written: whether the outputs of the last call have been written into after the network returned.
        seeds: whether the network has set the seed in a call.
    """

    def __init__(self, prepared: "Prepared") -> None:
        self.prepared, self.not_copied, self.seeds, self.written = prepared, "", False, False
        self.loss: Tensor | None = None
        self.returned: Any = None
        self.changed: tuple[str, ...] = ()
        self.evaluated: Any = None
        model, reason = copied_or_built(prepared.model)
        if reason:
            self.not_copied = (
                f"the network is built anew wherever a copy is used, as it cannot be copied: {reason}"
            )
        updates = {"compile": False, "cuda_graphs": "off", "metrics": ()}
        if not task_of(prepared.data.task).own_step:  # whose validation gives the number to monitor itself
            updates["monitor"] = "loss"
        settings = prepared.config.training.model_copy(update=updates)
        config = prepared.config.model_copy(update={"training": settings})
        context = TrainingContext(prepared.device)
        self.learner = learner_for(config, prepared.data, model.to(prepared.device), context)
        self.learner.metrics.names = []  # of a whole split, which this does not see; tried where they are loaded
        for group in self.learner.optimizer.param_groups:
            group["lr"] = 0.0

    def train(self, batch: Batch) -> TorchtuiError | None:
        """Take a step; return what is wrong."""

        inputs, targets = map_inputs(Tensor.clone, batch.inputs), batch.targets.clone()

        def step() -> None:
            self.learner.train()
            self.loss, _ = self.learner.step(batch._replace(inputs=inputs, targets=targets))

        error, self.returned = self._attempt(step, batch)
        written = {"outputs": self.written, "targets": writes_into(targets) > 0}
        self.changed = tuple(name for name, is_written in written.items() if is_written)
        return error or wrong_outputs(self.returned, self.prepared)

    def evaluate(self, split: Split) -> TorchtuiError | None:
        """Evaluate some samples at once; return what is wrong."""
        prepared = self.prepared
        if split.weights is not None and not split.weights.any():  # a few may, a whole split may not
            split = replace(split, weights=torch.ones_like(split.weights))
        batches = Batches(split, prepared.data, prepared.device)
        batch = next(batches.iterate(len(split)))
        error, self.evaluated = self._attempt(lambda: self.learner.validate(batches, lambda: False), batch)
        return error

    def _attempt(self, call: Callable[[], object], batch: Batch) -> tuple[TorchtuiError | None, Any]:
        """Call; return the error of it, explained, and what the network returned.

        Raises only what says that memory is full.
        """
        torch.manual_seed(SEED)
        with Watched(self.learner.model) as watched:
            try:
                call()
            except (Exception, SystemExit) as error:  # a network may raise whatever it likes
                if is_shortage(error):
                    raise
                return explained(error, watched.returned, batch, self.prepared), watched.returned
        self.written = watched.written
        self.seeds = self.seeds or torch.initial_seed() != SEED
        return None, watched.returned

    def kept(self) -> list[str]:
        """Return the names of the tensors that the network has kept in plain attributes since it was copied."""
        before = dict(self.prepared.model.named_modules())
        return [
            f"{path}.{name}" if path else f"self.{name}"
            for path, module in self.learner.model.named_modules()
            if not isinstance(module, torch.jit.ScriptModule)
            for name, value in vars(module).items()
            if _holds_tensor(value) and vars(before[path]).get(name) is not value
        ]


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, tuple | list) and any(isinstance(each, Tensor) for each in value)
    )
