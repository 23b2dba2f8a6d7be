"""Puts a screen together from the widgets that a change touches, and leaves the others alone."""

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip

__all__ = ["FrugalCompositor"]


class FrugalCompositor(Compositor):
    """Textual's own asks for the lines of every widget whose container is touched: nearly all, with every frame."""

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if seen and (crop is None or crop.overlaps(seen)):
                yield region, clip, widget.render_lines(seen.translate(-region.offset))
