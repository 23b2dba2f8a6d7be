"""A change asks only the widgets it touches for their lines; what comes out is what Textual composes."""

import pytest
from textual._compositor import Compositor
from textual.geometry import Region
from textual.widget import Widget

from tui.screens.compositor import FrugalCompositor

SIZES = ((80, 24), (120, 40))


def painted(compositor, crop):
    """What is drawn of a region: the place, text and style of each piece of its lines."""
    lines = compositor._render_chops(crop, lambda y: crop.y <= y < crop.bottom)
    return [
        (y, x, list(strip))
        for y in crop.line_range
        for (x, strip), end in zip(lines[y].items(), compositor.cuts[y][1:], strict=True)
        if x < crop.right and end > crop.x
    ]


@pytest.fixture
def asked(monkeypatch):
    """The widgets that were asked for their lines."""
    asked = set()
    usual = Widget.render_lines

    def noted(widget, crop):
        asked.add(widget)
        return usual(widget, crop)

    monkeypatch.setattr(Widget, "render_lines", noted)
    return asked


@pytest.mark.parametrize("size", SIZES)
async def test_regions_are_drawn_as_textual_draws_them(visit, copy_of, monkeypatch, size):
    width, height = size
    regions = [
        Region(0, 0, width, height),
        *(Region(0, y, width, 1) for y in range(height)),
        *(Region(x, 3, 7, height // 2) for x in range(0, width - 7, 5)),
    ]
    async with visit(size) as at:
        await at.open(copy_of("digits"))
        compositor = at.screen._compositor
        assert isinstance(compositor, FrugalCompositor)
        frugal = [painted(compositor, region) for region in regions]
        monkeypatch.setattr(FrugalCompositor, "_get_renders", Compositor._get_renders)
        assert frugal == [painted(compositor, region) for region in regions]


async def test_only_what_is_touched_is_asked(visit, copy_of, asked):
    async with visit(SIZES[1]) as at:
        await at.open(copy_of("digits"))
        compositor, line = at.screen._compositor, Region(0, 0, SIZES[1][0], 1)
        everything = set(compositor.visible_widgets)
        asked.clear()
        painted(compositor, line)
        assert asked == {widget for widget in everything if widget.region.overlaps(line)}
        assert len(asked) < len(everything) / 2
