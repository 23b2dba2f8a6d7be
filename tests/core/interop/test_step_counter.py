"""Steps as scripts count them."""

from typing import Any

import pytest

from core.errors import DataError
from core.interop.step_counter import StepCounter

EPOCH = "epoch"


@pytest.mark.parametrize(
    ("calls", "steps"),
    [
        ([None, None, None], [1, 2, 3]),
        ([1, 1, 1, 2, 2], [1, 1, 1, 2, 2]),  # one call for each metric
        ([0, 1, 2], [0, 1, 2]),
        ([50, 100, 150], [50, 100, 150]),
        ([0, 1, 2, EPOCH, 0, 1, 2, EPOCH, 0], [0, 1, 2, 3, 4, 5, 6]),
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 3, 4, 5]),
        ([49, 99, EPOCH, 49, 99], [49, 99, 100, 150]),  # every fiftieth batch of an epoch
        ([0, EPOCH, 0, EPOCH, 0], [0, 1, 2]),  # epochs of one step
        ([100, 200, EPOCH, 200, 300], [100, 200, 200, 300]),  # validation after the epoch, at its step
        ([1000, 500, 2000], [1000, 1000, 2000]),
        ([1, None, 2, 3], [1, 2, 2, 3]),
    ],
)
def test_a_count_of_any_kind(calls: list[Any], steps: list[int]) -> None:
    counter, found, epochs = StepCounter(), [], 0
    for call in calls:
        if call is EPOCH:
            epochs += 1
            counter.start_epoch(epochs)
        else:
            found.append(counter.advance(call))
    assert found == steps


def test_a_step_from_before_is_late_and_a_first_one_a_restart() -> None:
    counter = StepCounter()
    seen = []
    for given in (10, 20, 15, 30, 10):
        counter.advance(given)
        seen.append((counter.late, counter.restarted))
    assert seen == [(False, False), (False, False), (True, False), (False, False), (False, True)]


@pytest.mark.parametrize(("given", "step"), [(101, 101), (100, 101), (0, 101), (250, 250)])
def test_a_resumed_script_counts_on_or_again(given: int, step: int) -> None:
    assert StepCounter(100).advance(given) == step


@pytest.mark.parametrize("given", [-1, 0.5, float("nan"), float("inf"), 1e30, "x", [1]])
def test_what_is_not_a_step_is_rejected(given: Any) -> None:
    with pytest.raises(DataError, match="Give the number of steps done"):
        StepCounter().advance(given)
