"""TensorBoard's own files, in the folder of the run: ``tensorboard --logdir runs`` compares all runs."""

from typing import Any

from core.config.yaml_files import sections_to_yaml
from core.errors import DependencyError
from core.events import Event, RunFinished, RunStarted
from core.observers.scalars import scalars
from core.runs.folder import Run

__all__ = ["TensorBoard"]


class TensorBoard:
    """Writes `scalars` by step.

    Raises:
        DependencyError: tensorboard is not installed.
    """

    name = "tensorboard"

    def __init__(self, run: Run) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise DependencyError(
                "log tensorboard: tensorboard is not installed", 'pip install "torchtui[tensorboard]"'
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
            case RunFinished() if self._writer is not None:
                self._writer.close()
            case _:
                self._step = getattr(event, "step", self._step)
                for name, value in scalars(event).items():
                    self._writer.add_scalar(name, value, self._step, event.time)

    def wait(self) -> None:
        """Nothing is due."""
