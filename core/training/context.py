"""The surroundings that a training is given: its device, its processes, its threads."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from core.runs.media.store import MediaStore
from core.training.distributed import SINGLE, Group
from core.training.metrics.own_metrics import OwnMetric

if TYPE_CHECKING:
    from core.training.threads import Threads

__all__ = ["TrainingContext"]


@dataclass(frozen=True)
class TrainingContext:
    """Device and helpers with which a run trains.

    Attributes:
        device: where to compute; the model is moved there.
        group: the processes that train together; each has the same configuration and data.
        threads: chooses the number of processor threads again when training becomes slow; None leaves it.
        own_metrics: those of ``training.metrics`` that are the user's own.
        media: keeps the images, texts and histograms of each validation; None where nobody does.
    """

    device: torch.device
    group: Group = SINGLE
    threads: "Threads | None" = None
    own_metrics: tuple[OwnMetric, ...] = ()
    media: MediaStore | None = None
