"""A convolutional network over time."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.data.kinds.sample import Sample
from core.models.sequences.options import SequenceOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Cnn1d"]

Channels = Annotated[int, Field(ge=1, le=4096)]


class Cnn1d(SequenceOptions):
    """Convolutions over time, each halving it, then mean and maximum over time."""

    name: Literal["cnn1d"] = "cnn1d"
    channels: Annotated[tuple[Channels, ...], Field(min_length=1, max_length=16)] = (32, 64, 64)
    """Channels of each convolution; the first is also the embedding dimension of a token."""
    kernel: Annotated[int, Field(ge=1, le=255)] = 5
    """Steps that a convolution sees at once; an odd number."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of activations dropped at each step."""

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        from core.errors import ModelError
        from core.models.sequences.encoders import Convolutions
        from core.models.sequences.parts import Steps, sequence_network

        if self.kernel % 2 == 0:
            raise ModelError(f"model.kernel: got {self.kernel}, takes an odd number")
        encoder = Convolutions(self.channels, self.kernel)
        return sequence_network(sample, Steps(sample, self.channels[0]), encoder, self.dropout, outputs)
