"""Occlusion maps of the samples of an evaluation: the network, or all of several together, is loaded once."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from core.data.dataset import Progress
from core.evaluation.values import Array
from core.inference.occlusion import Occlusion, occlusion
from core.runs.folder import Run
from core.session.evaluation import score_inputs, trained_model

if TYPE_CHECKING:
    from torch import Tensor

    from core.session.session import Prepared

__all__ = ["Occluder"]


class Occluder:
    """Computes maps for a run; not for the UI thread."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._trained: Prepared | None = None
        self._lock = Lock()

    def map_of(
        self, image: "Tensor", label: int, progress: Progress, should_stop: Callable[[], bool]
    ) -> Occlusion | None:
        """Return the map of the score of a class; None if it was stopped.

        Args:
            image: (channels, height, width), in the unit of the data that the run was trained on.

        Raises:
            TorchtuiError: the weights cannot be read, or do not fit.
        """
        with self._lock:
            if should_stop():
                return None
            if self._trained is None:
                self._trained = trained_model(self.run, progress=progress, samples=False)
            trained = self._trained

            def score(images: "Tensor") -> Array:
                return score_inputs(trained, images)

            return occlusion(image, trained.data.mean, label, score, progress, should_stop)
