"""A new size of the window is laid out and drawn once, in the styles for it, as if the app had started in it."""

from typing import Any

import pytest
from textual._compositor import Compositor
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tests.support.waiting import until
from tui.screens.base import NARROW, ModeScreen
from tui.terminal import textual_private
from tui.terminal.textual_private import LenientApp
from tui.widgets.key_line import KeyLine

LARGE = (160, 48)
SIZES = [(120, 40), (100, 32), (180, 50), (40, 20)]


class Words(ModeScreen):
    """Texts that are as high as their lines, and other ones in small windows."""

    CSS = """
    TopBar { height: 1; }
    #short { height: 3; }
    #long { height: auto; }
    .-narrow #short { display: none; }
    .-short #long { width: 30; }
    """
    BINDINGS = [Binding("p", "panel", "panel")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "panel" or self.size.width < NARROW

    def compose_body(self) -> ComposeResult:
        yield Static("few words", id="short")
        with VerticalScroll():
            yield Static("many words " * 100, id="long")


class Host(LenientApp):
    """An app with that screen alone."""

    device_label = reactive("")

    def get_default_screen(self) -> Words:
        return Words()


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what a screen does, in order."""
    noted: list[str] = []

    def note(kind: type[Any], method: str) -> None:
        usual = getattr(kind, method)

        def and_note(*given: Any, **named: Any) -> Any:
            noted.append(method)
            return usual(*given, **named)

        monkeypatch.setattr(kind, method, and_note)

    note(Screen, "_refresh_layout")
    note(Compositor, "render_full_update")
    return noted


def places(screen: Screen[Any]) -> dict[str, Region]:
    return {str(widget): widget.region for widget in screen.walk_children(Widget)}


async def resized(
    size: tuple[int, int], noted: list[str] | None = None
) -> tuple[dict[str, Region], set[str]]:
    """Return the places and the classes after a change of the size, and note what was done for it."""
    app = Host()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        if noted is not None:
            noted.clear()
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: app.screen.size == Size(*size) and not app.screen._layout_required)
        await pilot.pause()
        return places(app.screen), set(app.screen.classes)


async def started(size: tuple[int, int]) -> tuple[dict[str, Region], set[str]]:
    """Return the places and the classes in an app that starts in a size."""
    app = Host()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return places(app.screen), set(app.screen.classes)


@pytest.mark.parametrize("size", SIZES)
async def test_it_looks_as_if_it_had_always_been_so(size: tuple[int, int]) -> None:
    assert await resized(size) == await started(size)


@pytest.mark.parametrize("size", SIZES[:3])
async def test_it_is_laid_out_and_drawn_once(size: tuple[int, int], noted: list[str]) -> None:
    await resized(size, noted)
    assert noted == ["_refresh_layout", "render_full_update"]


@pytest.mark.parametrize("part", ["_clear_arrangement_cache", "_exchange_repaint_regions"])
async def test_without_the_private_parts_it_looks_the_same(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await started((100, 32))
    monkeypatch.setattr(textual_private, "hasattr", lambda kind, name: name != part, raising=False)
    assert await resized((100, 32)) == expected


async def test_a_size_that_is_out_of_date_is_not_laid_out(noted: list[str]) -> None:
    app = Host()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        noted.clear()
        app.screen.post_message(Resize(Size(50, 20), Size(50, 20)))
        await pilot.pause()
        assert app.screen.size == Size(*LARGE)
        assert noted == []


async def test_keys_of_small_windows_are_listed_as_soon_as_one_is_small_and_no_longer() -> None:
    app = Host()
    async with app.run_test(size=LARGE) as pilot:
        line = app.screen.query_one(KeyLine)

        def listed() -> bool:
            return "p panel" in [key.text for key in line.shown]

        await until(pilot, lambda: bool(line.shown) and not listed())
        await pilot.resize_terminal(80, 24)
        await until(pilot, listed)
        await pilot.resize_terminal(*LARGE)
        await until(pilot, lambda: not listed())
