"""Contrast of both themes: 4.5 for text, 3 for marks (WCAG 2.2), whatever the colour of the data."""

import itertools

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from core.palette import OKABE_ITO
from tui.charts.evaluation.curves import MEAN_COLORS
from tui.terminal.contrast import MARKS, TEXT, Legible, contrast, legible
from tui.terminal.themes import STATES, THEMES, faded

GROUNDS = ("background", "surface", "panel")
WRITTEN = ("foreground", "primary", "accent", "warning", "error", "success", "text-warning", "text-error")
DARK, LIGHT = THEMES


def colors_of(theme: Theme) -> dict[str, Color]:
    generated = theme.to_color_system().generate()
    return {name: Color.parse(generated[name]) for name in (*GROUNDS, *WRITTEN)}


def drawn(text: str, color: Color, ground: Color) -> Color:
    """Return the colour of a text on the screen, as the light theme filters it."""
    (segment,) = Legible().apply([Segment(text, Style(color=color.rich_color))], ground)
    assert segment.style is not None
    assert segment.style.color is not None
    return Color.from_rich_color(segment.style.color)


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast(Color(119, 119, 119), Color(255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert contrast(Color(9, 9, 9), Color(9, 9, 9)) == 1


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_a_theme_writes_can_be_read(theme: Theme) -> None:
    colors = colors_of(theme)
    states = {name: Color.parse(color) for name, (_, color) in STATES.items()}
    muted = {f"foreground {share} %": colors["foreground"].with_alpha(share / 100) for share in (60,)}
    for ground in GROUNDS:
        behind = colors[ground]
        text = {name: behind + color for name, color in {**colors, **states, **muted}.items()}
        found = {
            name: contrast(color if theme.dark else drawn("word", color, behind), behind)
            for name, color in text.items()
            if name not in GROUNDS
        }
        assert {name: round(value, 2) for name, value in found.items() if value < TEXT} == {}, ground


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_marks_of_data_can_be_seen(theme: Theme) -> None:
    colors = colors_of(theme)
    marks = [Color(*color) for color in (*OKABE_ITO, *MEAN_COLORS, *map(faded, OKABE_ITO))]
    for ground, mark in itertools.product(GROUNDS, marks):
        shown = mark if theme.dark else drawn("★", mark, colors[ground])
        assert contrast(shown, colors[ground]) >= MARKS or (theme.dark and mark.rgb in map(faded, OKABE_ITO))


def test_colours_stay_apart_on_a_light_background() -> None:
    ground = colors_of(LIGHT)["background"]
    shown = {drawn("⣿", Color(*color), ground).rgb for color in OKABE_ITO}
    assert len(shown) == len(OKABE_ITO)


def test_frames_and_blanks_stay_quiet_and_enough_contrast_stays_as_it_is() -> None:
    pale, ground = Color(220, 220, 220), Color(250, 250, 250)
    assert drawn("╭──╮", pale, ground) == pale
    assert drawn("word", Color(0, 0, 0), ground) == Color(0, 0, 0)
    assert legible(Color(0, 114, 178), ground, MARKS) == Color(0, 114, 178)
    on_blue = Segment("7", Style(color="#dddddd", bgcolor="#56b4e9"))
    (segment,) = Legible().apply([on_blue], ground)
    assert segment.style is not None
    assert segment.style.color is not None
    assert contrast(Color.from_rich_color(segment.style.color), Color.parse("#56b4e9")) >= TEXT
