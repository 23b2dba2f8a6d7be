"""A recurrent network of gated units."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.data.kinds.sample import Sample
from core.models.sequences.options import SequenceOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Gru"]


class Gru(SequenceOptions):
    """Gated recurrent units over the steps (Cho et al. 2014), and the mean of their states."""

    name: Literal["gru"] = "gru"
    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Units of each layer, and embedding dimension of a token."""
    depth: Annotated[int, Field(ge=1, le=16)] = 1
    """Recurrent layers, one upon the other."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of activations dropped at each step."""

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        from core.models.sequences.encoders import Recurrent
        from core.models.sequences.parts import Steps, sequence_network

        encoder = Recurrent(self.width, self.depth, self.dropout)
        return sequence_network(sample, Steps(sample, self.width), encoder, self.dropout, outputs)
