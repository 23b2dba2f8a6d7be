"""Runs of networks with their own training step: their numbers and samples in Evaluate, and in the other screens."""

from pathlib import Path

import pytest

from core.metrics import label_of
from core.runs.history.history import History
from core.runs.log import all_events
from core.user_code.trust import trust
from tests.support import own_steps
from tests.tui.conftest import TrainHere, Visits
from tui.charts.live import View, metric_chart, subtitle
from tui.screens.evaluate.own_numbers import OwnNumbersTab
from tui.terminal.text import number
from tui.widgets.picture import Picture

pytestmark = pytest.mark.slow

FILE = Path(str(own_steps.__file__))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_numbers_are_shown_beside_a_picture(
    size: tuple[int, int], visit: Visits, train_here: TrainHere
) -> None:
    trust(FILE)
    run = train_here({"data": "digits", "model": {"name": "python", "path": f"{FILE}:Vae"}})
    async with visit(size) as at:
        await at.open(run, split="test")
        assert isinstance(at.screen.active_tab, OwnNumbersTab)
        seen = at.seen()
        assert all(label_of(name) in seen for name in ("loss", "kl", "elbo"))
        assert at.screen.query_one(Picture).is_on_screen
        assert "▀" in seen
        await at.press("t", "v")
        assert at.screen.split == "validation"
        assert "elbo" in at.seen()


async def test_texts_are_shown_without_control_characters(visit: Visits, train_here: TrainHere) -> None:
    trust(FILE)
    run = train_here({"data": "digits", "model": {"name": "python", "path": f"{FILE}:Gan"}})
    text = run.evaluation_folder("validation") / "samples.txt"
    text.write_text("one [red]two[/red]\n\x1b[31mthree")
    async with visit() as at:
        await at.open(run)
        seen = at.seen()
        assert "one [red]two[/red]" in seen
        assert "\x1b" not in seen
        text.unlink()
        text.with_suffix(".png").write_bytes(b"no picture")
        await at.open(run)
        assert "cannot be read" in at.plain("#given-text")


async def test_the_list_of_runs_tells_its_numbers(visit: Visits, train_here: TrainHere) -> None:
    trust(FILE)
    train_here({"data": "digits", "model": {"name": "python", "path": f"{FILE}:Vae"}})
    async with visit((200, 60)) as at:
        at.app.switch_mode("runs")
        await at.settle()
        assert "kl" in at.seen()


def test_the_charts_of_live_follow_the_numbers_that_are_reported(train_here: TrainHere) -> None:
    trust(FILE)
    run = train_here({"data": "digits", "model": {"name": "python", "path": f"{FILE}:Vae"}})
    history = History()
    for event in all_events(run.log_file):
        history.apply(event)
    assert (history.score, history.scores) == ("kl", ["kl", "elbo"])
    assert len(metric_chart(history, "elbo", View()).series) == 2
    best = history.best_metrics
    assert subtitle(history, "loss") == f"best {number(best['loss'])} at epoch {history.best_epoch}"
    assert subtitle(history, "elbo") == f"{number(best['elbo'])} at epoch {history.best_epoch} (best by loss)"
