"""TensorBoard's own files, in the folder of the run: ``tensorboard --logdir runs`` compares all runs."""

from typing import Any

from core.config import sections_to_yaml
from core.errors import DependencyError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    RunFinished,
    RunStarted,
    StepLogged,
    SystemSampled,
)
from core.runs.folder import Run

__all__ = ["TensorBoard"]


class TensorBoard:
    """Writes scalars by step: ``train/loss``, ``validation/loss``, ``lr``, ``test/accuracy``, ``system/cpu`` ...

    Raises:
        DependencyError: tensorboard is not installed.
    """

    name = "tensorboard"

    def __init__(self, run: Run) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise DependencyError(
                "--log tensorboard: tensorboard is not installed", 'pip install "torchtui[tensorboard]"'
            ) from None
        self._open: Any = SummaryWriter
        self._folder = run.path / "tensorboard"
        self._writer: Any = None
        self._step = 0

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._step = event.step
                self._writer = self._open(str(self._folder), purge_step=event.step or None)
                self._writer.add_text("config", f"```yaml\n{sections_to_yaml(event.config)}```", event.step)
            case StepLogged():
                self._add(event, event.step, "train", event.train)
                self._writer.add_scalar("lr", event.lr, event.step, event.time)
            case EpochFinished():
                self._add(event, event.step, "validation", event.validation)
                self._add(
                    event, event.step, "train", {f"{name}_epoch": event.train[name] for name in event.train}
                )
                self._writer.add_scalar("epoch", event.epoch, event.step, event.time)
            case EvaluationFinished():
                self._add(event, self._step, event.split, event.metrics)
            case SystemSampled():
                self._add(event, self._step, "system", event.shares())
            case RunFinished() if self._writer is not None:
                self._writer.close()

    def wait(self) -> None:
        """Nothing is due."""

    def _add(self, event: Event, step: int, group: str, values: Any) -> None:
        self._step = step
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(f"{group}/{name}", value, step, event.time)
