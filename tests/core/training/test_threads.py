"""`threads: auto` takes what is fastest here and now, and changes nothing else."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.models.registry import build
from core.session import session
from core.training import threads
from core.training.threads import Threads, max_threads

LARGE = 10**9
CONFIG = configuration.from_dict({"data": "digits", "model": {"name": "mlp", "dropout": 0.5}})


@pytest.fixture(autouse=True)
def same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """Seconds of a step by number of threads, in place of real ones; a step is taken all the same."""
    seconds = {1: 1.0, 2: 1.0, 4: 1.0}

    def seconds_of(step: Callable[[], object], most: int) -> float:
        step()
        return seconds[torch.get_num_threads()]

    monkeypatch.setattr(threads, "_seconds_of", seconds_of)
    return seconds


@pytest.fixture
def chooser(load_data: Callable[..., Dataset]) -> Threads:
    data = load_data("digits")
    return Threads(CONFIG, data, build(CONFIG.model, data, seed=0), 4)


@pytest.mark.usefixtures("four_cores")
def test_the_most_that_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max_threads("auto", LARGE) == 4
    assert max_threads("auto", LARGE, spare=1) == 3
    assert max_threads("auto", LARGE, spare=9) == 1
    assert max_threads("auto", 1000) == 1
    assert max_threads(7, 1000, spare=1) == 7
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert max_threads("auto", LARGE) == 2


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 1.0, 2: 0.6, 4: 0.4}, 4),
        ({1: 1.0, 2: 0.6, 4: 0.57}, 2),
        ({1: 1.0, 2: 0.95, 4: 4.0}, 1),
    ],
)
def test_more_threads_are_taken_when_they_gain_enough(
    chooser: Threads, takes: dict[int, float], seconds: dict[int, float], chosen: int
) -> None:
    takes.update(seconds)
    assert chooser.choose() == chosen == torch.get_num_threads()


def test_choosing_changes_neither_weights_nor_random_numbers(load_data: Callable[..., Dataset]) -> None:
    data = load_data("digits")
    model = build(CONFIG.model, data, seed=0)
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    assert Threads(CONFIG, data, model, 2).choose() in (1, 2)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


def test_a_short_run_spends_few_steps_on_choosing(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_data("digits")
    values = {"data": "digits", "training": {"epochs": 10, "batch_size": 64}}
    config = configuration.from_dict(values)
    monkeypatch.setattr(threads, "SECONDS", 1e9)
    taken: list[int] = []
    monkeypatch.setattr(threads, "step_of_a_copy", lambda *given: lambda: taken.append(1))
    Threads(config, data, build(config.model, data, seed=0), 2).choose()
    in_run = 10 * -(-len(data.train) // 64)
    assert len(taken) == 2 + 2 * threads.TURNS * (1 + in_run // threads.MIN_STEPS_RATIO)


def test_throughput_that_halves_is_looked_at_again(
    chooser: Threads, takes: dict[int, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    takes[4] = 0.1
    assert chooser.choose() == 4
    takes[4] = 9.0
    low = [chooser.report_rate(rate) for rate in [100.0, *[49.0] * 20]]
    assert not any(low)  # it was chosen a moment ago
    now = time.monotonic() + threads.MIN_SECONDS_BETWEEN
    monkeypatch.setattr("core.training.threads.time.monotonic", lambda: now)
    assert "switched from 4 to 1 processor thread" in chooser.report_rate(49.0)
    assert torch.get_num_threads() == 1
    assert not any(chooser.report_rate(49.0) for _ in range(20))


def test_a_short_fall_is_let_pass(chooser: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic() + threads.MIN_SECONDS_BETWEEN
    monkeypatch.setattr("core.training.threads.time.monotonic", lambda: now)
    rates = [100.0, *[40.0] * (threads.LOW_REPORTS - 1), 90.0]
    assert not any(chooser.report_rate(rate) for rate in rates * 3)


@pytest.mark.slow
@pytest.mark.usefixtures("four_cores")
def test_the_choice_is_told_and_a_resumed_run_keeps_it(
    train_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, takes: dict[int, float]
) -> None:
    monkeypatch.setattr(threads, "SMALL_STEP", 0)
    takes[2] = 0.5
    values = {"data": "digits", "training": {"threads": "auto", "epochs": 2}}
    first = train_run(values, at_step=(3, lambda control, model: control.stop()))
    assert first.events[0].threads == first.checkpoint()["threads"] == 2
    takes[2] = 9.0
    second = train_run(values, run=first.run)
    assert second.events[0].threads == 2


def test_a_configured_number_is_not_timed(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Threads, "choose", lambda self: pytest.fail("was timed"))
    config = configuration.from_dict({"data": "digits", "training": {"threads": 3, "device": "cpu"}})
    context = session.training_context(session.assemble(config, load_data("digits")), None)
    assert (torch.get_num_threads(), context.threads) == (3, None)
