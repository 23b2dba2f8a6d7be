"""The line with the status of a run: all that a job has to say, and never more than is done."""

from textual.app import App, ComposeResult

from core.events import RunStarted, StepLogged
from core.runs.history.history import History
from tests.support.waiting import until
from tui.screens.live.status_line import StatusLine

NOTE = "job 12 waits behind jobs of higher priority (Priority), 1 job ahead, expected to start 18:45"


class OneLine(App[None]):
    CSS = "StatusLine { height: 1; max-height: 2; }"

    def compose(self) -> ComposeResult:
        yield StatusLine()


async def test_a_long_note_takes_a_second_line_only_where_it_needs_one() -> None:
    app = OneLine()
    async with app.run_test(size=(80, 24)) as pilot:
        line = app.query_one(StatusLine)
        line.show("a run", "pending", History(), None, NOTE)
        await until(pilot, lambda: line.size.height == 2)
        shown = [line.render_line(row).text.strip() for row in (0, 1)]
        assert " ".join(shown).endswith(NOTE)
        assert shown[0].startswith("a run  ◌ pending  job 12 waits")
        await pilot.resize_terminal(140, 24)
        await until(pilot, lambda: line.size.height == 1)
        assert line.render_line(0).text.rstrip().endswith("18:45")
        await pilot.resize_terminal(60, 24)
        line.show("a run", "pending", History(), None, NOTE * 2)
        await until(pilot, lambda: line.size.height == 2)
        assert line.render_line(1).text.rstrip().endswith("…")


async def test_a_run_is_not_done_before_its_last_step() -> None:
    app = OneLine()
    async with app.run_test(size=(80, 24)) as pilot:
        line = app.query_one(StatusLine)
        history = History()
        history.apply(
            RunStarted(
                config={},
                task="binary",
                samples={},
                classes=[],
                sample_shape=[4],
                parameters=1,
                device="cpu",
                threads=1,
                epochs=10,
                steps_per_epoch=1000,
            )
        )
        shown = []
        for step in (9_999, 10_000):
            history.apply(StepLogged(epoch=10, step=step, train={}, lr=0.1, samples_per_second=1.0))
            line.show("a run", "running", history, 0.0, "")
            await pilot.pause()
            shown.append(" 100 % " in line.render_line(0).text)
        assert shown == [False, True]
