"""Rate at which the Live screen is drawn: from what its frames cost, more where no training thread waits for them."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from tui.runtime import feed
from tui.runtime.feed import LONGEST, SHARE, SHORTEST, FrameBudget


class Clock:
    """Replacement for the module `time` that advances on request."""

    def __init__(self) -> None:
        self.now = self.spent = 0.0

    def monotonic(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.spent


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(feed, "time", clock)
    return clock


def draw(budget: FrameBudget, clock: Clock, cost: float, shared: bool) -> None:
    """A frame of everything, painted."""
    with budget.chart_frame(shared=shared):
        clock.spent += cost / 2
    clock.spent += cost / 2
    budget.settle()


def seconds_until(due: Callable[[], bool], clock: Clock) -> float:
    begin = clock.now
    while not due():
        clock.now += 0.001
    return clock.now - begin


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("cost", [0.0001, 0.008, 0.1])
def test_frames_take_their_share_and_no_more(clock: Clock, cost: float, shared: bool) -> None:
    budget = FrameBudget()
    draw(budget, clock, cost, shared)
    expected = min(LONGEST["charts"], max(SHORTEST, cost / SHARE[shared]["charts"]))
    assert seconds_until(budget.charts_due, clock) == pytest.approx(expected, abs=0.002)


def test_texts_do_not_wait_for_a_costly_chart(clock: Clock) -> None:
    budget = FrameBudget()
    draw(budget, clock, 10.0, shared=True)
    assert seconds_until(budget.text_due, clock) == pytest.approx(LONGEST["text"], abs=0.002)
    assert not budget.charts_due()
    assert seconds_until(budget.charts_due, clock) < LONGEST["charts"]


def test_a_watcher_draws_more_often_than_who_trains(clock: Clock) -> None:
    def pause(shared: bool) -> float:
        budget = FrameBudget()
        draw(budget, clock, 0.01, shared)
        return seconds_until(budget.charts_due, clock)

    assert pause(shared=False) < pause(shared=True) / 3


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("cost", [0.001, 0.03, 0.2])
def test_a_busy_run_is_drawn_four_times_a_second_and_its_charts_once(
    clock: Clock, cost: float, shared: bool
) -> None:
    """Draw as Live does: it waits as long as required, and a frame counts as painted at the next poll."""
    budget = FrameBudget()
    frames: list[float] = []
    charts: list[float] = []
    while clock.now < 20:
        budget.settle()
        if budget.charts_due():
            charts.append(clock.now)
            frames.append(clock.now)
            with budget.chart_frame(shared):
                clock.spent += cost / 2
        elif budget.text_due():
            frames.append(clock.now)
            with budget.text_frame(shared):
                clock.spent += 0.002
        clock.spent += cost / 2
        clock.now += budget.rest() + 0.003
    assert max(after - before for before, after in pairwise(frames)) <= 0.25
    assert max(after - before for before, after in pairwise(charts)) <= 1.0
