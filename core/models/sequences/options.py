"""Base of the options of networks for sequences."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from core.data.kinds.base import KindName
from core.data.kinds.sample import Sample
from core.models.options import ModelOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["SEQUENCES", "SequenceOptions"]

SEQUENCES: tuple[KindName, ...] = ("signal", "tokens", "text")


class SequenceOptions(ModelOptions):
    """Base of networks that take signals, tokens and texts."""

    TAKES: ClassVar[tuple[KindName, ...]] = SEQUENCES
    TAKES_SEQUENCES: ClassVar = True

    def build_for(self, sample: Sample, outputs: int) -> "Module":
        self.ensure_takes(replace(sample, fields=()) if sample.features else sample)
        return self.build_sequence(sample, outputs)

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        """A network with fresh weights for samples of one of the kinds in `TAKES`.

        Raises:
            ModelError: its settings do not fit each other.
        """
        raise NotImplementedError
