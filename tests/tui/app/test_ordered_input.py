"""Keys that arrive in one burst are handled one after another, each by the widget that then has the focus."""

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from tests.support.waiting import until
from tui.app.ordered_input import OrderedInput


class Opened(Screen[None]):
    BINDINGS = [Binding("c", "app.note('second')")]

    def compose(self) -> ComposeResult:
        yield Static("second")


class Fields(OrderedInput):
    """A field that `/` focuses, and a key that is a command elsewhere."""

    BINDINGS = [
        Binding("slash", "search"),
        Binding("c", "note('command')"),
        Binding("o", "open"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def compose(self) -> ComposeResult:
        yield Button("first")
        yield Input()
        yield Button("remove", id="remove")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.button.remove()

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_note(self, text: str) -> None:
        self.notes.append(text)

    async def action_open(self) -> None:
        await self.push_screen(Opened())


def burst(app: OrderedInput, text: str) -> None:
    """Send keys as they arrive in one read of the terminal."""
    for letter in text:
        key = {"/": "slash"}.get(letter, letter)
        app.post_message(events.Key(key, letter))


async def test_what_follows_a_slash_goes_into_the_field() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        app.query_one(Button).focus()
        await pilot.pause()
        burst(app, "c/cat ccc")
        await until(pilot, lambda: app.query_one(Input).value == "cat ccc")
        assert app.notes == ["command"]


async def test_what_follows_a_click_goes_into_the_field() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        region = app.query_one(Input).region
        for kind in (events.MouseDown, events.MouseUp):
            app.post_message(kind(None, region.x + 3, region.y + 1, 0, 0, 1, False, False, False))
        burst(app, "c1")
        await until(pilot, lambda: app.query_one(Input).value == "c1")
        assert not app.notes


async def test_keys_wait_for_the_screen_that_one_of_them_opens() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        burst(app, "oc")
        await until(pilot, lambda: bool(app.notes))
        assert app.notes == ["second"]


async def test_a_key_that_removes_its_widget_holds_up_no_other() -> None:
    """The next one goes to the widget that has the focus instead, or to the screen."""
    app = Fields()
    async with app.run_test() as pilot:
        app.query_one("#remove").focus()
        await pilot.pause()
        app.post_message(events.Key("enter", "\r"))
        burst(app, "c")
        await until(pilot, lambda: app.query_one(Input).value == "c" or app.notes)
        assert not app.query("#remove")


async def test_keys_wait_while_input_is_held() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        app.query_one(Button).focus()
        app.hold_input()
        burst(app, "cc")
        await pilot.pause()
        assert not app.notes
        await app.release_input()
        await until(pilot, lambda: app.notes == ["command", "command"])
