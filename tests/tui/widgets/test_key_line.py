"""The line of keys: drawn anew where keys change, pressed by the mouse."""

from textual.app import App, ComposeResult
from textual.binding import Binding

from tests.support.screen import screen_text
from tests.support.waiting import until
from tui.widgets.key_line import KeyLine


class Footed(App[None]):
    """Keys of all kinds: shown, twice the same, disabled, of the help and the palette."""

    rung = 0
    BINDINGS = [
        Binding("f1", "app.help", "help", show=False),
        Binding("f2,f3", "ring", "ring", tooltip="Ring the bell"),
        Binding("f4", "never", "never"),
    ]

    def compose(self) -> ComposeResult:
        yield KeyLine()

    def action_ring(self) -> None:
        self.rung += 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "never" else True


async def test_keys_are_drawn_once_and_a_click_presses_them() -> None:
    app = Footed()
    async with app.run_test(size=(120, 3), tooltips=True) as pilot:
        line = app.query_one(KeyLine)
        await until(pilot, lambda: line.keys and "palette" in screen_text(app))
        last = screen_text(app).splitlines()[-1]
        assert last.startswith(" f2 ring  f4 never  f1 help ")
        assert last.endswith("▏ ^p palette  ")
        for word, key in (("ring", "f2"), ("never", "f4"), ("help", "f1"), ("palette", "ctrl+p")):
            at = line.key_at(last.index(word))
            assert at is not None
            assert at.key == key
        assert line.key_at(last.index("▏") - 1) is None

        await pilot.click(line, offset=(last.index("ring"), 0))
        await until(pilot, lambda: app.rung == 1)
        await pilot.click(line, offset=(last.index("never"), 0))
        await pilot.hover(line, offset=(last.index("ring"), 0))
        await until(pilot, lambda: line.tooltip == "Ring the bell")
        assert app.rung == 1

        before = line.keys
        app.screen.refresh_bindings()
        await pilot.pause()
        assert line.keys is before, "keys that would be the same stay"
        await pilot.resize_terminal(20, 3)
        await until(pilot, lambda: line.size.width == 20)
        assert [key.text for key in line.shown] == ["f2 ring", "f1 help"]
        await until(pilot, lambda: screen_text(app).splitlines()[-1] == "f2 ring f1 help     ")
