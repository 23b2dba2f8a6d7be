"""Typing in an open list finds what it names."""

from textual.app import App, ComposeResult

from tui.widgets.choice import ChoiceList


class OneList(App[None]):
    def compose(self) -> ComposeResult:
        yield ChoiceList(("digits", "csv", "svhn", "my_vowels"), self.screen)


async def test_letters_that_follow_each_other_are_one_word() -> None:
    app = OneList()
    async with app.run_test() as pilot:
        listed = app.query_one(ChoiceList)
        listed.focus()
        await pilot.press(*"csv")
        assert (listed.highlighted, listed.typed) == (1, "csv")
        await pilot.press("backspace", "backspace")
        assert (listed.highlighted, listed.typed) == (1, "c")
        await pilot.press(*"vo")
        assert listed.typed == "vo"
        assert listed.highlighted == 3, "one that contains it, where none begins so"


async def test_a_list_is_inside_a_narrow_window() -> None:
    class Wide(App[None]):
        CSS = "ChoiceList { overlay: screen; width: auto; max-width: 76; }"

        def compose(self) -> ComposeResult:
            yield ChoiceList(("long " * 20,), self.screen)

    async with Wide().run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert pilot.app.query_one(ChoiceList).region.right <= 60
