"""A kind of samples: what a sample is, and what it is used for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

    from core.data.kinds.sample import Sample

__all__ = ["Display", "Kind", "KindName", "Reads", "Statistics", "shape_text"]

KindName = Literal["table", "image", "signal", "tokens", "text", "other"]
Display = Literal["row", "picture", "curves", "text"]
Reads = Literal["rows", "pictures", "arrays", "texts"]
Statistics = Literal["columns", "channels", "all", "none"]


@dataclass(frozen=True)
class Kind:
    """One kind of samples.

    Attributes:
        samples: what several of them are called, in messages.
        shown: how one is shown in previews and among mistakes: as a row of values, a picture, small curves, or a text.
        reads: files that new samples come from, beside arrays.
        statistics: what gets a mean and a deviation of its own: each column, each channel (the first dimension of a
            sample), or all values together; none where samples are ids, which are not scaled.
        parts: what the statistics are of, in the view of the data, and `holds`: what one part holds.
        augmentations: names of the changes to training samples that make sense.
        on_disk: arrays that are larger than memory may stay on disk.
    """

    name: KindName
    samples: str
    shown: Display
    reads: Reads
    statistics: Statistics
    parts: str
    holds: str
    augmentations: tuple[str, ...] = ()
    on_disk: bool = False

    @property
    def looked_up(self) -> bool:
        """Return whether samples are ids: the network gets them as int64, and looks them up."""
        return self.statistics == "none"

    def form(self, sample: "Sample") -> str:
        """Return the shape of a sample in a few words."""
        return "×".join(map(str, sample.shape))

    def part_names(self, count: int) -> tuple[str, ...]:
        """Return the names of so many parts that the data has no names for."""
        return tuple(f"channel {at}" for at in range(count))

    def arranged(self, samples: "np.ndarray", shape: tuple[int, ...]) -> "np.ndarray":
        """Return new samples (n, ...) as the network takes them, (n, *shape), where it is clear how they lie."""
        if self.statistics != "channels":
            return samples
        from core.data.kinds.channels import channels_first

        return channels_first(samples, shape)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as text, such as 60x28x28."""
    return "x".join(map(str, shape)) or "nothing"
