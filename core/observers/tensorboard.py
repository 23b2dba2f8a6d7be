"""TensorBoard's own files, in the folder of the run: ``tensorboard --logdir runs`` compares all runs."""

from typing import Any

import numpy as np

from core.config.yaml_files import sections_to_yaml
from core.errors import DependencyError, RunDamaged
from core.events import Event, MediaLogged, RunFinished, RunStarted
from core.observers.scalars import scalars
from core.runs.folder import Run
from core.runs.media.histograms import Counts
from core.runs.media.stored import read_counts, read_pixels, read_words

__all__ = ["TensorBoard"]


class TensorBoard:
    """Writes `scalars` by step, and images, texts and histograms.

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
        self._run, self._folder = run, run.path / "tensorboard"
        self._writer: Any = None
        self._step = 0

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._step = event.step
                if self._writer is not None:
                    self._writer.close()
                self._writer = self._open(str(self._folder), purge_step=event.step or None)
                self._writer.add_text("config", f"```yaml\n{sections_to_yaml(event.config)}```", event.step)
            case RunFinished() if self._writer is not None:
                self._writer.close()
            case MediaLogged() if self._writer is not None:
                self._look_at(event)
            case _:
                self._step = getattr(event, "step", self._step)
                for name, value in scalars(event).items():
                    self._writer.add_scalar(name, value, self._step, event.time)

    def _look_at(self, event: MediaLogged) -> None:
        """Write an image, a text or a histogram; one whose file is gone is left out."""
        name, step, run = event.name, event.step, self._run
        try:
            if event.kind == "image":
                pixels = read_pixels(run, event)
                layout = "HW" if pixels.ndim == 2 else "HWC"
                self._writer.add_image(name, pixels, step, event.time, dataformats=layout)
            elif event.kind == "text":
                self._writer.add_text(name, read_words(run, event), step, event.time)
            else:
                self._add_histogram(name, read_counts(run, event), step, event.time)
        except RunDamaged:
            return

    def _add_histogram(self, name: str, counts: Counts, step: int, time: float) -> None:
        """Write the bins as they are; the sums, of which TensorBoard shows nothing, are those of their middles."""
        edges, numbers = np.array(counts.edges), np.array(counts.counts)
        middles = edges[:-1] / 2 + edges[1:] / 2
        self._writer.add_histogram_raw(
            name,
            min=edges[0],
            max=edges[-1],
            num=counts.total,
            sum=float(middles @ numbers),
            sum_squares=float(np.square(middles) @ numbers),
            bucket_limits=edges[1:].tolist(),
            bucket_counts=numbers.tolist(),
            global_step=step,
            walltime=time,
        )

    def wait(self) -> None:
        """Nothing is due."""
