"""Which trial is trained on next, and which has no hope: pure functions, so every case is a line."""

import math
from collections import Counter

from core.tuning.search.milestones import (
    Reached,
    best_so_far,
    bracket_of,
    given_up,
    in_line,
    milestones,
    promotable,
)


def waiting(values: dict[int, float], at: int = 1, first: int = 0) -> list[Reached]:
    return [Reached(first + trial, {at: value}, waits=True) for trial, value in values.items()]


def test_milestones_are_halves_of_the_next_one() -> None:
    assert [milestones(epochs) for epochs in (1, 2, 3, 9, 10, 27, 100)] == [
        (),
        (1,),
        (1, 2),
        (1, 2, 4),
        (1, 2, 5),
        (1, 2, 3, 7, 14),
        (3, 6, 12, 25, 50),
    ]
    assert [milestones(8, bracket) for bracket in range(4)] == [(1, 2, 4), (2, 4), (4,), ()]


def test_brackets_get_the_shares_of_hyperband() -> None:
    counts = Counter(bracket_of(trial, 8) for trial in range(1000))
    shares = [8 / 4, 4 / 3, 2 / 2, 1]
    assert all(abs(counts[bracket] - 1000 * share / sum(shares)) < 2 for bracket, share in enumerate(shares))
    assert {bracket_of(trial, 1) for trial in range(9)} == {0}


def test_the_best_half_is_promoted_and_later_milestones_come_first() -> None:
    found = waiting({0: 0.3, 1: 0.1, 2: 0.2})
    assert promotable(found[:1]) == []
    assert promotable(found) == [1]
    promoted = [found[0], Reached(1, {1: 0.1}), found[2]]
    assert promotable(promoted) == []  # it is being trained: its place is taken
    later = [
        Reached(trial, {1: 0.0, 3: value}, waits=True) for trial, value in enumerate((0.5, 0.4, 0.6), 10)
    ]
    assert promotable([*waiting(dict.fromkeys(range(3), 0.0)), *later]) == [11, 0, 1, 2]
    assert promotable(waiting({0: math.nan, 1: 0.9, 2: math.nan})) == [1]


def test_brackets_do_not_compete() -> None:
    one = waiting({0: 0.3, 1: 0.1, 2: 0.2}, at=3)
    other = [Reached(7, {3: 0.0}, waits=True, bracket=1)]
    assert promotable([*one, *other]) == [1]


def test_at_the_end_the_best_of_each_milestone_is_promoted_in_any_case() -> None:
    found = waiting({0: 0.2, 1: 0.1})
    assert promotable(found, ends=True) == [1]
    assert promotable([found[0], Reached(1, {1: 0.1, 3: 0.1}, waits=True)], ends=True) == [1]
    assert promotable([found[0], Reached(1, {1: 0.1, 3: 0.1})], ends=True) == []


def test_all_that_wait_have_a_place_in_line() -> None:
    found = waiting({trial: trial / 10 for trial in range(6)})
    assert in_line(found) == [0, 1, 2, 3, 4, 5]
    assert in_line([Reached(0, {1: 0.0}), *found[1:]]) == [1, 2, 3, 4, 5]
    later = [Reached(9, {1: 0.0, 3: 0.7}, waits=True), Reached(8, {1: 0.0, 3: 0.1})]
    assert in_line([*found[3:], *later]) == [3, 4, 9, 5]


def test_hopeless_trials_are_given_up_and_stay_so() -> None:
    found = [Reached(trial, {1: trial / 10, 2: trial / 10}, waits=True) for trial in range(9)]
    assert given_up(found, 9) == {5, 6, 7, 8}
    assert given_up([*found, *waiting({20: -1.0})], 9) >= {5, 6, 7, 8}
    assert given_up(found, 18) == given_up(found, None) == set()
    assert given_up(waiting(dict.fromkeys(range(9), 0.0)), 9) == set()
    later = [Reached(trial, {1: 0.0, 2: 0.0, 4: trial / 10}, waits=True) for trial in range(5)]
    assert given_up([*later, *found[5:]], 9) == {3, 4, 5, 6, 7, 8}


def test_the_best_so_far_knows_the_direction() -> None:
    assert best_so_far([math.nan, 0.5, 0.7], "maximize") == 0.7
    assert best_so_far([0.5, math.nan, 0.7], "minimize") == 0.5
    assert math.isnan(best_so_far([math.nan], "minimize"))
