"""Dialogs show all their choices and keep addresses whole, in small terminals too."""

import pytest
from textual.app import App
from textual.widgets import Button

from core.errors import DataError
from tests.support.screen import lines, screen_text
from tui.app.modes import stylesheet
from tui.screens.dialogs import Ask, ErrorDialog
from tui.screens.jobs.actions import JOBS, JobMenu
from tui.screens.table_dialog import TableDialog
from tui.screens.tune.dialogs import AskNumber
from tui.terminal.table_text import TableText

ANSWERS = {"stop": "Stop, save and quit", "detach": "Detach and quit", "stay": "Stay"}


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 16)])
async def test_every_answer_is_in_view(size: tuple[int, int]) -> None:
    class Asking(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(
                Ask("This app is training a run. Stop and save it, or let it continue?", ANSWERS)
            )

    async with Asking().run_test(size=size) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        shown = [button.region for button in screen.query(Button)]
        assert len(shown) == 3
        assert all(region.height and screen.region.contains_region(region) for region in shown)
        assert screen.query_one(".dialog").region.contains_region(shown[-1])


@pytest.mark.slow
async def test_buttons_of_a_fixed_dialog_go_on_in_another_row() -> None:
    class Saving(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            head = [f"column {number}" for number in range(20)]
            self.push_screen(TableDialog("epochs", TableText(head, [head], 0)))

    async with Saving().run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        buttons = [*screen.query(Button)]
        assert all(screen.find_widget(button).visible_region == button.region for button in buttons)
        assert all(button.region.width >= len(str(button.label)) for button in buttons)
        assert len({button.region.y for button in buttons}) == 2


async def test_an_error_has_room_for_an_address_on_one_line() -> None:
    address = "https://data.example.org/images/cifar-10-python.tar.gz"

    class Failing(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(
                ErrorDialog(DataError("cannot download the images of the data set", f"See {address}"))
            )

    async with Failing().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        hint = pilot.app.screen.query_one(".hint")
        lines = [strip.text for strip in hint.render_lines(hint.size.region)]
        assert any(address in line for line in lines), lines


async def test_a_menu_names_its_run_whatever_its_name_is_made_of() -> None:
    class Choosing(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(JobMenu("[red]large[/red] [/b]", [*JOBS]))

    async with Choosing().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "[red]large[/red] [/b]" in screen_text(pilot.app)


async def test_what_follows_a_number_is_read_whole_and_is_no_problem() -> None:
    note = "The best mean wins, and is evaluated on the test split."

    class Asking(App[None]):
        CSS_PATH = stylesheet()

        def on_mount(self) -> None:
            self.push_screen(AskNumber("How many other seeds each?", "Confirm", usual=3, least=2, note=note))

    async with Asking().run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        said = pilot.app.screen.query_one("#trials-problem")
        assert " ".join(" ".join(lines(said)).split()) == note
        await pilot.press("backspace", "1", "enter")
        await pilot.pause()
        assert lines(said)[0].startswith("✗ enter a number ≥ 2")
