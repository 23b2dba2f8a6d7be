"""A threshold picked on a ROC curve: shown, kept with the run as `tui threshold` keeps it, and taken back."""

from threading import Event
from typing import Any

import numpy as np
import pytest
from textual.widgets import Button

from core.evaluation.two_classes import bands
from core.evaluation.two_classes.decision import Decision, Rule, choose
from core.evaluation.values import Undefined
from core.evaluation.weighted import ranked_counts
from core.inference.chosen import decision_of
from tests.support.narrow import instance, some
from tests.support.screen import question
from tests.support.waiting import until
from tests.tui.conftest import CopyOf, Visits
from tui.charts.explore.plot import ExploringPlot
from tui.screens.dialogs import Ask
from tui.screens.evaluate.curves_tab import CurvesTab
from tui.screens.evaluate.two_classes.picked import nearest_place


def test_the_nearest_point_of_a_curve_is_meant() -> None:
    line = np.array([0.0, 0.0, 0.5, 1.0]), np.array([0.0, 0.8, 0.9, 1.0])
    assert nearest_place(line, 0.1, 0.7) == 1
    assert nearest_place(line, 0.6, 0.9) == 2


def test_a_given_threshold_is_a_rule() -> None:
    ranked = ranked_counts(np.array([0.1, 0.9]), np.array([False, True]), None)
    rule = Rule("given", threshold=0.37)
    assert choose(ranked, rule) == Decision(0.37, rule)
    assert rule.words == "threshold of 0.37, chosen by hand"
    with pytest.raises(ValueError, match="is not a threshold"):
        Rule("given", threshold=float("nan"))


@pytest.mark.slow
async def test_a_click_picks_a_threshold_and_a_key_keeps_it(visit: Visits, copy_of: CopyOf) -> None:
    run = copy_of("cancer")
    async with visit() as at:
        await at.open(run, "roc", "validation")
        tab = instance(CurvesTab, at.screen.active_tab)
        plot = at.one(ExploringPlot)
        plot.post_message(ExploringPlot.Picked(plot, 0.1, 0.9))
        line = some(tab.curves[1].lines["roc"])
        await until(at.pilot, lambda: tab.place == nearest_place(line, 0.1, 0.9))
        threshold = some(tab.curves[1].point("roc", tab.place).threshold)
        await at.press("k")
        await until(at.pilot, lambda: isinstance(at.app.screen, Ask))
        assert "precision" in question(at.app)
        assert "missed" in question(at.app)
        at.app.screen.query_one("#answer-keep", Button).press()
        await until(at.pilot, lambda: decision_of(run) is not None)
        assert some(decision_of(run)).threshold == pytest.approx(threshold)


@pytest.mark.slow
async def test_the_band_of_curves_that_are_gone_is_not_kept(
    visit: Visits, copy_of: CopyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    go_on = Event()

    def band_of(*what: Any) -> Any:
        asked.append(what)
        if len(asked) > 1:
            return known(*what)
        go_on.wait()
        return Undefined("it is of the curves before")

    known = bands.band_of
    run = copy_of("cancer")
    async with visit() as at:
        await at.open(run, "roc", "validation")
        tab = instance(CurvesTab, at.screen.active_tab)
        monkeypatch.setattr("tui.screens.evaluate.curves_tab.band_of", band_of)
        try:
            tab.draw(some(tab.subject))
            await until(at.pilot, lambda: asked)
            tab.draw(some(tab.subject))
        finally:
            go_on.set()
        await until(at.pilot, lambda: tab.bands)
        assert not [band for band in tab.bands.values() if isinstance(band, Undefined)]
