"""The private parts of Textual that are used are there and do what is expected; without them the app does the same."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest
from rich.segment import Segment
from textual._compositor import Compositor
from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.worker import WorkerFailed

from tests.support.waiting import until
from tests.tui.conftest import CopyOf, Visits
from tui.terminal import textual_private
from tui.terminal.textual_private import (
    FRAME_SECONDS,
    FrameTimer,
    LenientApp,
    use_frugal_compositor,
    write_to_terminal,
)

SIZES = ((80, 24), (120, 40))


def painted(compositor: Compositor, crop: Region) -> list[tuple[int, int, list[Segment]]]:
    """Return the drawing of a region: the place, text and style of each piece of its lines."""
    lines = compositor._render_chops(crop, lambda y: crop.y <= y < crop.bottom)
    return [
        (y, x, list(strip))
        for y in crop.line_range
        for (x, strip), end in zip(lines[y].items(), compositor.cuts[y][1:], strict=True)
        if x < crop.right and end > crop.x
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[Widget]:
    """The widgets that were asked for their lines."""
    asked: set[Widget] = set()
    usual = Widget.render_lines

    def noted(widget: Widget, crop: Region) -> list[Strip]:
        asked.add(widget)
        return usual(widget, crop)

    monkeypatch.setattr(Widget, "render_lines", noted)
    return asked


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_regions_are_drawn_as_textual_draws_them(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    width, height = size
    regions = [
        Region(0, 0, width, height),
        *(Region(0, y, width, 1) for y in range(height)),
        *(Region(x, 3, 7, height // 2) for x in range(0, width - 7, 5)),
    ]
    async with visit(size) as at:
        await at.open(copy_of("digits"))
        compositor = at.screen._compositor
        assert type(compositor) is not Compositor
        frugal = [painted(compositor, region) for region in regions]
        monkeypatch.setattr(type(compositor), "_get_renders", Compositor._get_renders)
        assert frugal == [painted(compositor, region) for region in regions]


@pytest.mark.slow
async def test_only_what_is_touched_is_asked(visit: Visits, copy_of: CopyOf, asked: set[Widget]) -> None:
    async with visit(SIZES[1]) as at:
        await at.open(copy_of("digits"))
        compositor, line = at.screen._compositor, Region(0, 0, SIZES[1][0], 1)
        everything = set(compositor.visible_widgets)
        asked.clear()
        painted(compositor, line)
        assert asked == {widget for widget in everything if widget.region.overlaps(line)}
        assert len(asked) < len(everything) / 2


@pytest.fixture
def forget_compositor() -> Iterator[None]:
    """The compositor is looked for anew, now and after the test."""
    textual_private._frugal_compositor.cache_clear()
    yield
    textual_private._frugal_compositor.cache_clear()


def test_the_compositor_of_a_screen_is_replaced() -> None:
    screen = Screen[None]()
    assert type(screen._compositor) is Compositor
    use_frugal_compositor(screen)
    assert isinstance(screen._compositor, Compositor)
    assert type(screen._compositor) is not Compositor


@pytest.mark.parametrize(
    "missing", ["module", "_get_renders", "_render_chops", "visible_widgets", "_compositor"]
)
async def test_without_a_known_compositor_a_screen_keeps_its_own(
    missing: str, monkeypatch: pytest.MonkeyPatch, forget_compositor: None
) -> None:
    app = App[None]()
    async with app.run_test() as pilot:
        screen = Screen[None]()
        await app.push_screen(screen)
        with monkeypatch.context() as without:
            if missing == "module":
                without.setitem(sys.modules, "textual._compositor", None)
            elif missing == "_compositor":
                without.delattr(screen, missing)
            else:
                without.delattr(Compositor, missing)
            use_frugal_compositor(screen)
        assert type(screen._compositor) is Compositor
        await screen.mount(Static("shown"))
        await pilot.pause()
        assert "shown" in screen._compositor.render_strips()[0].text


async def test_two_frames_are_painted_at_once_and_no_more_than_usual_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, waits = [0.0], list[float]()

    async def rest(seconds: float) -> None:
        waits.append(round(seconds / FRAME_SECONDS, 6))
        clock[0] += seconds
        await asyncio.sleep(0)

    def paint() -> None:
        if len(waits) == 4:
            clock[0] += 1  # nothing changes for a while
        elif len(waits) == 6:
            timer.stop()

    monkeypatch.setattr(textual_private, "sleep", rest)
    monkeypatch.setattr(textual_private, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    async with LenientApp().run_test() as pilot:
        timer = FrameTimer(pilot.app.screen, FRAME_SECONDS, callback=paint)
        waits.clear()
        timer._start()
        await until(pilot, lambda: len(waits) >= 6)
    assert waits[:6] == [0, 0, 2, 0, 0, 0]


async def test_a_screen_is_painted_by_that_timer() -> None:
    async with LenientApp().run_test() as pilot:
        assert isinstance(pilot.app.screen._update_timer, FrameTimer)
        assert pilot.app.screen._update_timer is pilot.app.screen._update_timer
        await pilot.app.mount(Static("shown"))
        await until(pilot, lambda: "shown" in pilot.app.screen._compositor.render_strips()[0].text)


async def test_control_sequences_go_through_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App[None]()
    assert not write_to_terminal(app, "before")
    async with app.run_test():
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        assert write_to_terminal(app, "text")
        assert written == ["text"]
        with monkeypatch.context() as without:
            without.delattr(app, "_driver")
            assert not write_to_terminal(app, "text")


def fail(app: App[None]) -> None:
    app._handle_exception(NoMatches("no nodes match"))


async def test_an_app_that_is_left_does_not_tell_what_it_misses() -> None:
    async with LenientApp().run_test() as pilot:
        pilot.app.exit()
        assert pilot.app._exit
        fail(pilot.app)
    assert pilot.app.return_code == 0


async def leave_and_fail(*, left: bool, forget: pytest.MonkeyPatch | None = None) -> None:
    async with LenientApp().run_test() as pilot:
        if left:
            pilot.app.exit()
        if forget is not None:
            forget.delattr(pilot.app, "_exit")
        fail(pilot.app)
        if forget is not None:
            forget.undo()


async def test_an_app_that_is_not_left_tells_what_it_misses() -> None:
    with pytest.raises(NoMatches):
        await leave_and_fail(left=False)


async def test_an_app_that_cannot_know_that_it_is_left_tells_what_it_misses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NoMatches):
        await leave_and_fail(left=True, forget=monkeypatch)


async def test_a_page_of_a_list_that_is_not_laid_out_is_no_fault() -> None:
    """A page key that comes with the palette."""
    async with LenientApp().run_test() as pilot:
        options = OptionList("one", "two")
        await pilot.app.mount(options)
        options.focus()
        await pilot.pause()
        options._index_to_line.clear()
        await pilot.press("pagedown")
        assert pilot.app.is_running


async def search(screen: Screen[Any]) -> None:
    screen.query_one("Missing")


@pytest.mark.parametrize("module", ["textual.command", __name__])
async def test_a_worker_of_textual_whose_screen_is_closed_is_no_fault(module: str) -> None:
    """The palette looks for commands while it closes."""
    looked = FunctionType(search.__code__, {"__name__": module})
    with nullcontext() if module.startswith("textual.") else pytest.raises(WorkerFailed):
        async with LenientApp().run_test() as pilot:
            worker = pilot.app.run_worker(looked(pilot.app.screen))
            await until(pilot, lambda: worker.is_finished)
