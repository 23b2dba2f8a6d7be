"""Signals of one or several channels, such as those of sensors: (channels, time)."""

from core.data.kinds.base import Kind

__all__ = ["SIGNAL"]


class _Signal(Kind):
    def form(self, shape: tuple[int, ...]) -> str:
        channels, steps = shape
        return f"{channels} {'channel' if channels == 1 else 'channels'} × {steps} steps"

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
