"""Base of the options of networks for sequences."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from core.data.kinds.base import KindName
from core.data.kinds.sample import Sample
from core.models.options import ModelOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["SEQUENCES", "SequenceOptions", "as_sequence"]

SEQUENCES: tuple[KindName, ...] = ("signal", "tokens", "text")


class SequenceOptions(ModelOptions):
    """Base of networks that take signals, tokens and texts."""

    TAKES: ClassVar[tuple[KindName, ...]] = SEQUENCES
    TAKES_SEQUENCES: ClassVar = True

    def ensure_takes(self, sample: Sample) -> None:
        sequence = as_sequence(sample)
        super().ensure_takes(replace(sequence, fields=()) if sample.features else sequence)

    def build_for(self, sample: Sample, outputs: int) -> "Module":
        self.ensure_takes(sample)
        return self.build_sequence(as_sequence(sample), outputs)

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        """A network with fresh weights for samples of one of the kinds in `TAKES`.

        Raises:
            ModelError: its settings do not fit each other.
        """
        raise NotImplementedError


def as_sequence(sample: Sample) -> Sample:
    """Return sequences of different lengths as the signals or tokens that they are; any other sample as it is."""
    if len(sample.fields) != 1 or not sample.fields[0].is_sequence or len(sample.shape) > 2:
        return sample
    return replace(sample, kind="tokens" if sample.vocabulary else "signal")
