"""Bag of words: the mean of the embeddings of a text."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.data.kinds.sample import Sample
from core.models.sequences.options import SequenceOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["TextBag"]


class TextBag(SequenceOptions):
    """Mean of the embeddings of all tokens, in any order, then a linear layer; after fastText (Joulin et al. 2017)."""

    TAKES: ClassVar = ("tokens", "text")

    name: Literal["text_bag"] = "text_bag"
    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Embedding dimension of a token."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of activations dropped at each step."""

    def build_sequence(self, sample: Sample, outputs: int) -> "Module":
        from core.models.sequences.encoders import Mean
        from core.models.sequences.parts import Steps, sequence_network

        return sequence_network(sample, Steps(sample, self.width), Mean(self.width), self.dropout, outputs)
