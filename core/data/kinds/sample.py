"""Facts of a sample that a network is built by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.data.kinds.base import KindName

if TYPE_CHECKING:
    from core.data.inputs import InputField

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """One sample as a network gets it.

    Attributes:
        shape: of its tensor, without the batch.
        vocabulary: number of ids, from 0 on; 0 where samples are not ids.
        padding: the id that fills short sequences; None where nothing is filled.
        features: numbers beside a text.
        fields: of samples that consist of several tensors, or of sequences of different lengths.
        places: shape of the places that each get an output, such as pixels; empty for one output a sample.
    """

    kind: KindName
    shape: tuple[int, ...]
    vocabulary: int = 0
    padding: int | None = None
    features: int = 0
    fields: "tuple[InputField, ...]" = ()
    places: tuple[int, ...] = ()
