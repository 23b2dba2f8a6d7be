"""Calls of a script that log images, texts and histograms."""

from typing import Any

from core.runs.media.kinds import Histogram, Image, Text, kind_of

__all__ = ["ScriptMedia"]


class ScriptMedia:
    """Mixin of `core.interop.writer.RunWriter`. Files go to the folder ``media`` of the run; see `core.runs.media`."""

    def image(
        self, name: str, value: Any, step: int | None = None, *, caption: str = "", layout: str = ""
    ) -> None:
        """Log a picture, or several of one size side by side.

        Args:
            name: what it is called; those of one name are shown by step.
            value: a tensor or an array, an image of Pillow, a figure of matplotlib, or the path of a file; see
                `core.runs.media.kinds.Image`.
            step: that it is shown at; by default the steps done.
            layout: such as ``CHW``, where the shape alone does not tell.

        Raises:
            DataError: it is not a picture.
        """
        self._look_at(name, _as(Image, value, caption=caption, layout=layout), step)

    def text(self, name: str, value: Any, step: int | None = None) -> None:
        """Log a short text, or a list of lines; up to 100,000 characters are kept.

        Raises:
            DataError: it is not a text.
        """
        self._look_at(name, _as(Text, value), step)

    def histogram(self, name: str, values: Any, step: int | None = None, *, bins: int = 64) -> None:
        """Log how often numbers occur: of a tensor, an array or a list; those that are not finite are counted apart.

        Raises:
            DataError: there are none, or they are not numbers.
        """
        self._look_at(name, _as(Histogram, values, num_bins=bins), step)

    def _look_at(self, name: str, item: Any, step: int | None) -> None:
        raise NotImplementedError


def _as(kind: type[Any], value: Any, **options: Any) -> Any:
    return kind(value, **options) if kind_of(value) is None else value
