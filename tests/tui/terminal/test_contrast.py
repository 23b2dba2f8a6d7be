"""Contrast of both themes: 4.5 for text, 3 for marks (WCAG 2.2), whatever the colour of the data."""

import html
import itertools
import re
from collections.abc import Iterator
from functools import cache

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from core.palette import OKABE_ITO
from tests.support.repository import REPOSITORY
from tui.charts.evaluation.curves import MEAN_COLORS
from tui.screens.tune.trial_columns import TRIAL_STATES
from tui.terminal.contrast import MARKS, TEXT, Legible, _least, contrast, legible
from tui.terminal.themes import STATES, THEMES, faded

GROUNDS = ("background", "surface", "panel")
WRITTEN = ("foreground", "primary", "accent", "warning", "error", "success", "text-warning", "text-error")
SELECTED = {"foreground": 0.2, "accent": 0.25, "primary": 0.25}
"""Colours behind what has the cursor, and their shares: rows of tables, fields, runs."""

PICTURES = sorted((REPOSITORY / "tests/tui/screens/__snapshots__/test_snapshots").glob("*.svg"))
LINE = 24.4
"""Height of a line of a picture."""


def colors_of(theme: Theme) -> dict[str, Color]:
    generated = theme.to_color_system().generate()
    return {name: Color.parse(generated[name]) for name in (*GROUNDS, *WRITTEN)}


def drawn(text: str, color: Color, ground: Color) -> Color:
    """Return the colour of a text on the screen, as the app filters it."""
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
            name: contrast(drawn("word", color, behind), behind)
            for name, color in text.items()
            if name not in GROUNDS
        }
        assert {name: round(value, 2) for name, value in found.items() if value < TEXT} == {}, ground


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_what_has_the_cursor_can_be_read(theme: Theme) -> None:
    colors = colors_of(theme)
    written = [colors["foreground"], *(Color.parse(color) for _, color in TRIAL_STATES.values())]
    for (name, share), color in itertools.product(SELECTED.items(), written):
        behind = colors["background"] + colors[name].with_alpha(share)
        assert contrast(drawn("word", color, behind), behind) >= TEXT, (name, color)


def pieces(picture: str) -> Iterator[tuple[str, str, str]]:
    """Yield the texts of a picture of a screen, each with its colour and the one behind it."""
    inks = dict(re.findall(r"-r(\d+) \{ fill: (#[0-9a-f]{6})", picture))
    grounds: dict[int, list[tuple[float, str]]] = {}
    for color, x, y in re.findall(r'<rect fill="(#\w{6})" x="([\d.]+)" y="([\d.]+)"', picture):
        grounds.setdefault(int(float(y) / LINE), []).append((float(x), color))
    written = r'<text class="\S*-r(\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*\S[^<]*)</text>'
    for ink, x, y, text in re.findall(written, picture):
        *_, behind = (color for left, color in grounds[int(float(y) / LINE)] if left < float(x) + 1)
        yield html.unescape(text).replace("\xa0", " "), inks[ink], behind


@cache
def ratio(one: str, other: str) -> float:
    return contrast(Color.parse(one), Color.parse(other))


@pytest.mark.parametrize("kind", ["test_compare", "test_light", "test_screen"])
def test_all_that_is_on_the_pictures_can_be_read(kind: str) -> None:
    pictures = [path for path in PICTURES if path.name.startswith(kind)]
    assert pictures
    pale = {
        (path.name, text.strip(), round(ratio(color, behind), 2))
        for path in pictures
        for text, color, behind in pieces(path.read_text())
        if ratio(color, behind) < _least(text)
    }
    assert not pale


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_marks_of_data_can_be_seen(theme: Theme) -> None:
    colors = colors_of(theme)
    marks = [Color(*color) for color in (*OKABE_ITO, *MEAN_COLORS, *map(faded, OKABE_ITO))]
    selected = [colors["background"] + colors[name].with_alpha(share) for name, share in SELECTED.items()]
    for behind, mark in itertools.product((*(colors[ground] for ground in GROUNDS), *selected), marks):
        assert contrast(drawn("★", mark, behind), behind) >= MARKS
        assert contrast(drawn("━", mark, behind), behind) >= MARKS


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_colours_stay_apart(theme: Theme) -> None:
    ground = colors_of(theme)["background"]
    shown = {drawn("⣿", Color(*color), ground).rgb for color in OKABE_ITO}
    assert len(shown) == len(OKABE_ITO)


def test_frames_pixels_and_blanks_stay_as_they_are_and_so_does_enough_contrast() -> None:
    pale, ground = Color(220, 220, 220), Color(250, 250, 250)
    assert drawn("╭──╮", pale, ground) == pale
    assert drawn("▀", pale, ground) == pale
    assert drawn("word", Color(0, 0, 0), ground) == Color(0, 0, 0)
    assert legible(Color(0, 114, 178), ground, MARKS) == Color(0, 114, 178)
    on_blue = Segment("7", Style(color="#dddddd", bgcolor="#56b4e9"))
    (segment,) = Legible().apply([on_blue], ground)
    assert segment.style is not None
    assert segment.style.color is not None
    assert contrast(Color.from_rich_color(segment.style.color), Color.parse("#56b4e9")) >= TEXT
