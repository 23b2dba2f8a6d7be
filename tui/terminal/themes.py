"""The app's own theme: a quiet ground, and colour only where it means something."""

from typing import Any

from textual.app import App
from textual.theme import Theme

from core.palette import OKABE_ITO, RGB

__all__ = [
    "BLUE",
    "GREEN",
    "MISTAKE",
    "ORANGE",
    "PINK",
    "STATES",
    "THEMES",
    "YELLOW",
    "Sign",
    "faded",
    "member_sign",
    "register_themes",
    "sign_of",
]

BLUE, ORANGE, GREEN, PINK, _, MISTAKE, YELLOW, _ = OKABE_ITO
"""Train, and what is right; validation; what goes well; memory of a GPU; mistakes; the cursor."""

Sign = tuple[str, RGB]
SIGNS = "●■▲◆○□△◇"
"""Of the runs of a comparison, each beside its colour: on its curve and in front of its name."""

STATES = {
    "pending": ("◌", "#56b4e9"),
    "preparing": ("○", "#56b4e9"),
    "running": ("●", "#009e73"),
    "paused": ("‖", "#e69f00"),
    "completed": ("✓", "#009e73"),
    "stopped": ("■", "#e69f00"),
    "diverged": ("✗", "#e2681a"),
    "failed": ("✗", "#e2681a"),
    "interrupted": ("▲", "#e69f00"),
    "damaged": ("?", "#e2681a"),
}
"""How a run stands: its sign and its colour; the word always stands beside them."""

THEMES = (
    Theme(
        name="torchtui",
        primary="#56b4e9",
        secondary="#e69f00",
        accent="#e69f00",
        warning="#e69f00",
        error="#e2681a",
        success="#009e73",
        foreground="#dddddd",
        background="#121212",
        surface="#181818",
        panel="#1e2428",
        dark=True,
    ),
    Theme(
        name="torchtui-light",
        primary="#0072b2",
        secondary="#b37a00",
        accent="#a65e00",
        warning="#a65e00",
        error="#b34700",
        success="#00785a",
        foreground="#202020",
        background="#fafafa",
        surface="#f0f0f0",
        panel="#e4e8ea",
        dark=False,
    ),
)


def register_themes(app: App[Any], name: str) -> None:
    """Register our themes before start-up, and select the initial one: ours if there is none of that name.

    Styles are read once at start-up; setting a theme then would read them again before the first paint.
    """
    for theme in THEMES:
        app.register_theme(theme)
    chosen = app.get_theme(name) or THEMES[0]
    app.set_reactive(App.theme, chosen.name)
    app.stylesheet.set_variables(app.get_css_variables())
    app.set_class(chosen.dark, "-dark-mode", update=False)
    app.set_class(not chosen.dark, "-light-mode", update=False)
    app.set_class(True, f"-theme-{chosen.name}", update=False)


def sign_of(slot: int) -> Sign:
    """Return a sign and its colour: eight pairs in which neither recurs, then other pairs of them, 64 in all."""
    turn, place = divmod(slot, len(SIGNS))
    return SIGNS[(place + turn) % len(SIGNS)], OKABE_ITO[place]


def member_sign(place: int) -> str:
    """Return the sign of a run within a group, whose colour all its runs have."""
    return SIGNS[place % len(SIGNS)]


def faded(color: RGB) -> RGB:
    """Return a colour half way to grey, which steps back on dark and light backgrounds alike."""
    red, green, blue = ((part + 128) // 2 for part in color)
    return red, green, blue
