"""Images: (channels, height, width)."""

from core.data.kinds.base import Kind

__all__ = ["IMAGE"]


class _Image(Kind):
    def part_names(self, count: int) -> tuple[str, ...]:
        return {1: ("grey",), 3: ("red", "green", "blue")}.get(count) or super().part_names(count)


IMAGE = _Image(
    name="image",
    samples="images",
    shown="picture",
    reads="pictures",
    statistics="channels",
    parts="channels",
    holds="pixels",
    augmentations=("crop", "flip", "rotation", "colour", "randaugment", "mixup", "cutmix"),
    on_disk=True,
)
