"""A transformer over the steps of a sequence."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.models.sequences.options import SequenceOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["TransformerSmall"]

MAX_PATCHES = 128


class TransformerSmall(SequenceOptions):
    """Transformer encoder with fixed sinusoidal positions (Vaswani et al. 2017), and the mean over its steps."""

    name: Literal["transformer_small"] = "transformer_small"
    width: Annotated[int, Field(ge=2, le=4096, multiple_of=2)] = 64
    """Embedding dimension of a step."""
    depth: Annotated[int, Field(ge=1, le=48)] = 2
    """Transformer layers."""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attention heads per layer; the width must be divisible by it."""
    patch: Annotated[int, Field(ge=0, le=65_536)] = 0
    """Steps of a signal that are taken together; 0 takes as few as make 128 parts at most. Tokens stay single."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of activations dropped at each step."""

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        from core.models.sequences.encoders import Attention
        from core.models.sequences.parts import Steps, sequence_network

        if self.width % self.heads:
            raise ModelError(f"model.heads: got {self.heads}, takes a divisor of the width, {self.width}")
        patch = (
            1
            if sample.vocabulary
            else self.patch or -(-sample.shape[0 if sample.fields else -1] // MAX_PATCHES)
        )
        encoder = Attention(self.width, self.depth, self.heads, self.dropout)
        return sequence_network(sample, Steps(sample, self.width, patch), encoder, self.dropout, outputs)
