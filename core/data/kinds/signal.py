"""Signals of one or several channels, such as those of sensors: (channels, time)."""

from core.counting import counted
from core.data.kinds.base import Kind
from core.data.kinds.sample import Sample

__all__ = ["SIGNAL"]


class _Signal(Kind):
    def form(self, sample: Sample) -> str:
        channels, steps = sample.shape
        return f"{counted(channels, 'channel')} × {steps} steps"

    def part_names(self, count: int) -> tuple[str, ...]:
        return tuple(f"channel {at + 1}" for at in range(count))


SIGNAL = _Signal(
    name="signal",
    samples="signals",
    shown="curves",
    reads="arrays",
    statistics="channels",
    parts="channels",
    holds="values",
    augmentations=("noise", "shift", "mask"),
    on_disk=True,
)
