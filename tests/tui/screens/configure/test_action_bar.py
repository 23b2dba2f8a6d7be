"""The sentences at the foot of the form: what is wrong can be read in small terminals, too."""

from textual.app import App, ComposeResult
from textual.content import Content

from tests.support.screen import lines
from tui.screens.configure.action_bar import Sentence

PROBLEM = (
    "Can't start: data.path: /home/someone/own.py is a program that you have neither named nor run before"
)


class Foot(App[None]):
    def compose(self) -> ComposeResult:
        yield Sentence(id="state")


async def test_a_problem_takes_the_lines_that_it_needs_up_to_three() -> None:
    app = Foot()
    async with app.run_test(size=(80, 10)) as pilot:
        sentence = app.query_one(Sentence)
        sentence.tell_whole("✗", PROBLEM, "$text-error")
        await pilot.pause()
        assert " ".join(line.strip() for line in lines(sentence)) == f"✗ {PROBLEM}"
        assert sentence.size.height == 2

        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert sentence.size.height == 3
        assert lines(sentence)[-1].rstrip().endswith("…")

        sentence.tell(Content("ready: 21 steps per epoch, 420 in total"))
        await pilot.pause()
        assert sentence.size.height == 1
