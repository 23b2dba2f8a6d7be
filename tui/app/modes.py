"""The six modes of the app: their screens, each created when first shown, and the styles of all."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from textual.screen import Screen

from core.files.reading import read_text

__all__ = ["SCREENS", "first_styles", "styles", "stylesheet"]


def stylesheet() -> Path:
    """Return the path of ``screens.tcss``: in `tui` when installed, at the top of the checkout otherwise."""
    here = Path(__file__).parent.parent
    installed = here / "screens.tcss"
    return installed if installed.is_file() else here.parent / "screens.tcss"


def styles() -> str:
    """Return the text of `stylesheet`."""
    return read_text(stylesheet(), follow_links=True)


def first_styles() -> str:
    """Return the first section of `styles`, a twentieth of them: those of the first paint."""
    return styles().partition("/* Everywhere */")[0]


def _screen(mode: str, name: str) -> Callable[[], Screen[Any]]:
    """Creates a screen when first shown, so that the first paint does not wait for the other five."""

    def make() -> Screen[Any]:
        screen: Screen[Any] = getattr(import_module(f"tui.screens.{mode}.screen"), name)()
        return screen

    return make


SCREENS: dict[str, str | Callable[[], Screen[Any]]] = {
    "runs": _screen("runs", "RunsScreen"),
    "configure": _screen("configure", "ConfigureScreen"),
    "live": _screen("live", "LiveScreen"),
    "evaluate": _screen("evaluate", "EvaluateScreen"),
    "tune": _screen("tune", "TuneScreen"),
    "compare": _screen("compare", "CompareScreen"),
}
"""Mode name to its screen."""
