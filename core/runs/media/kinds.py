"""Images, texts and histograms that a script logs, or that a network's ``validation_step`` returns."""

from typing import Any, ClassVar, Literal

__all__ = ["Histogram", "Image", "MediaKind", "Text", "kind_of"]

MediaKind = Literal["image", "text", "histogram"]
KINDS: tuple[MediaKind, ...] = ("image", "text", "histogram")


class Image:
    """One picture, or several of one size side by side.

    Args:
        value: a tensor or an array, bytes from 0 to 255 or numbers from 0 to 1, true and false; of the shape
            (height, width), (channels, height, width), (height, width, channels), or (n, ...) for several, with
            1, 3 or 4 channels; an image of Pillow; a figure of matplotlib; or the path of a file.
        caption: shown below it.
        layout: ``HW CHW HWC NHW NCHW`` or ``NHWC``, where the shape alone does not tell.
        others: arguments that other libraries take; they have no meaning here, which is reported.
    """

    torchtui_media: ClassVar[MediaKind] = "image"

    def __init__(self, value: Any, caption: str | None = None, *, layout: str = "", **others: Any) -> None:
        self.value, self.caption, self.layout = value, caption or "", layout
        self.others = sorted(name for name, given in others.items() if given is not None)


class Text:
    """A short text, or a list of lines."""

    torchtui_media: ClassVar[MediaKind] = "text"

    def __init__(self, value: Any, caption: str | None = None) -> None:
        self.value, self.caption = value, caption or ""


class Histogram:
    """How often numbers occur.

    Args:
        values: a tensor, an array or a list of numbers.
        np_histogram: counts and edges, as ``numpy.histogram`` gives them, in place of the numbers.
        num_bins: bins of one width from the smallest number to the largest.
    """

    torchtui_media: ClassVar[MediaKind] = "histogram"

    def __init__(self, values: Any = None, np_histogram: Any = None, num_bins: int = 64) -> None:
        self.values, self.np_histogram, self.num_bins = values, np_histogram, num_bins
        self.caption = ""


def kind_of(value: Any) -> MediaKind | None:
    """Return the kind of one of the above; None for anything else.

    A script may have imported them below the name ``torchtui``, as classes of their own: a mark tells, not the class.
    """
    kind = getattr(type(value), "torchtui_media", None)
    return kind if kind in KINDS else None
