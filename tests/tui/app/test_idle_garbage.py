"""Full garbage collections wait until nobody types, and take a hundredth of the time at most."""

import gc
from types import SimpleNamespace

import pytest

from tui.app import idle_garbage
from tui.app.idle_garbage import FEW, IDLE_SECONDS, LEAST, MOST, NEVER, PAUSE_SECONDS, SHARE, IdleGarbage


class Clock:
    """A collector whose collections take two seconds, and the garbage that waits for it."""

    def __init__(self) -> None:
        self.now, self.waiting = 1000.0, 0

    def collect(self) -> None:
        self.now, self.waiting = self.now + 2, 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    made_up = SimpleNamespace(
        get_count=lambda: (0, 0, clock.waiting), collect=clock.collect, get_threshold=gc.get_threshold
    )
    monkeypatch.setattr(idle_garbage, "gc", made_up)
    monkeypatch.setattr(idle_garbage, "freeze_garbage_collector", lambda: None)
    monkeypatch.setattr(idle_garbage, "are_modules_frozen", lambda: True)
    monkeypatch.setattr(idle_garbage, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_it_waits_until_nobody_types(clock: Clock) -> None:
    garbage, clock.waiting = IdleGarbage(), LEAST
    assert not garbage.look(clock.now - IDLE_SECONDS + 0.1)
    assert garbage.look(clock.now - IDLE_SECONDS)


def test_it_waits_for_enough_garbage_but_not_without_end(clock: Clock) -> None:
    garbage, clock.waiting = IdleGarbage(), LEAST - 1
    assert not garbage.look(0)
    clock.waiting = MOST
    assert garbage.look(clock.now)


def test_a_few_changes_of_the_mode_are_collected_in_the_pause_after_them(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    garbage, clock.waiting = IdleGarbage(), FEW
    assert not garbage.look_in_pause(clock.now - PAUSE_SECONDS / 2), "a key was pressed since"
    assert garbage.look_in_pause(clock.now - 2 * PAUSE_SECONDS)
    clock.waiting = FEW - 1
    assert not garbage.look_in_pause(0)
    clock.waiting = FEW
    monkeypatch.setattr(idle_garbage, "are_modules_frozen", lambda: False)
    assert not garbage.look_in_pause(0), "it would look through all modules"


def test_modules_are_frozen_after_a_collection(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[int] = []
    monkeypatch.setattr(idle_garbage, "freeze_garbage_collector", lambda: frozen.append(clock.waiting))
    garbage, clock.waiting = IdleGarbage(), LEAST
    assert garbage.look(0)
    assert frozen == [0], "what is frozen is kept for good: garbage first"


def test_it_takes_a_small_share_of_the_time(clock: Clock) -> None:
    garbage, clock.waiting = IdleGarbage(), LEAST
    assert garbage.look(0)
    ended, clock.waiting = clock.now, LEAST
    clock.now = ended + 2 / SHARE - 1
    assert not garbage.look(0)
    clock.now = ended + 2 / SHARE
    assert garbage.look(0)


def test_the_collector_is_as_before_in_the_end() -> None:
    usual, garbage = gc.get_threshold(), IdleGarbage()
    garbage.start()
    try:
        assert gc.get_threshold() == (*usual[:2], NEVER)
    finally:
        garbage.stop()
    assert gc.get_threshold() == usual
