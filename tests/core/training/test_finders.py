"""The finders of a learning rate and of a batch size: what they suggest, and that they leave the model as it was."""

import copy
import math
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from core.config.schema import from_dict
from core.data.batches import Batches
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.models.registry import build
from core.training import batch_finder
from core.training.batch_finder import BatchTest, TriedBatch, batch_test
from core.training.learner import Learner
from core.training.lr_finder import HIGHEST, LOWEST, STEPS, RangeTest, range_test
from core.training.memory import free_memory

CPU = torch.device("cpu")
RATES = (LOWEST * (HIGHEST / LOWEST) ** (np.arange(STEPS) / (STEPS - 1))).tolist()


def on(data: Dataset, find: Callable[..., Any], values: dict[str, Any] | None = None, **extra: Any) -> Any:
    config = from_dict({"model": {"hidden": [16], "dropout": 0.2}, **(values or {})})
    model = build(config.model, data, seed=0)
    before, random = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    heard: list[Any] = []
    calls = {"on_report": lambda *told: heard.append(told), "should_stop": lambda: False} | extra
    found = find(config, data, model, CPU, **calls)
    assert all(torch.equal(weight, before[key]) for key, weight in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random), "a training that goes on draws from the same generator"
    return found, heard


# -- the learning rate -----------------------------------------------------------------------------------------


def falling_at(rate: float, up: float = math.inf, noise: float = 0.0) -> RangeTest:
    """A loss that falls from 2 to 1 around a rate, and grows from another one on."""
    random = np.random.default_rng(0)
    places = np.log10(RATES)
    losses = 1 + 1 / (1 + np.exp(4 * (places - math.log10(rate)))) + noise * random.standard_normal(STEPS)
    losses += np.where(places > math.log10(up), 3 * (places - math.log10(up)), 0)
    return RangeTest(RATES, losses.tolist(), blew_up=False)


@pytest.mark.parametrize("rate", [1e-4, 1e-2, 0.3])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_suggestion_is_where_the_loss_falls_fastest(rate: float, noise: float) -> None:
    suggestion = falling_at(rate, up=20 * rate, noise=noise).suggestion
    assert suggestion is not None
    assert abs(math.log10(suggestion / rate)) < (0.15 if noise == 0 else 0.35)


def test_a_bolder_rate_is_a_tenth_of_the_one_with_the_lowest_loss() -> None:
    test = falling_at(1e-3, up=1.0, noise=0)
    assert test.bolder == pytest.approx(test.rates[test.lowest] / 10, rel=0.05)
    assert test.suggestion is not None
    assert test.bolder is not None
    assert test.bolder > test.suggestion
    assert falling_at(1e-3, up=0.002, noise=0).bolder is None, "the suggestion is bolder"
    assert RangeTest(RATES[:2], [1.0, 1.0], blew_up=False).bolder is None


def test_a_later_fall_from_a_peak_is_no_suggestion() -> None:
    """After it has blown up, a loss may fall steeply once more."""
    test = falling_at(1e-3, up=0.05)
    test.losses[-15:] = [30.0] * 8 + [3.0] * 7
    assert test.suggestion == falling_at(1e-3, up=0.05).suggestion


def test_one_loss_that_blows_up_does_not_hide_the_fall_before_it() -> None:
    losses = [2.3] * 90 + np.linspace(2.3, 1.9, 12).tolist() + [1e5]
    test = RangeTest(RATES[: len(losses)], losses, blew_up=True)
    assert test.suggestion == pytest.approx(RATES[97], rel=0.6)


@pytest.mark.parametrize("losses", [[1.0] * STEPS, np.linspace(1, 2, STEPS).tolist(), [], [2.0, 1.0]])
def test_a_loss_that_never_falls_gives_none(losses: list[float]) -> None:
    assert RangeTest(RATES[: len(losses)], losses, blew_up=False).suggestion is None


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_run_with_the_suggestion_learns(optimizer: str, load_data: Any, train_run: Any) -> None:
    found, heard = on(load_data("digits"), range_test, {"optimizer": optimizer})
    assert heard == list(zip(found.rates, found.losses, strict=True))
    assert found.rates == pytest.approx(RATES[: len(found.rates)])
    assert 1e-4 < found.suggestion < 1
    trained = train_run({"optimizer": {"name": optimizer, "lr": found.suggestion}, "training": {"epochs": 2}})
    from core.events import EpochFinished

    assert trained.told(EpochFinished)[-1].validation["accuracy"] > 0.8


def test_it_gives_the_same_twice(load_data: Any) -> None:
    first, second = (on(load_data("iris"), range_test)[0] for _ in range(2))
    assert first == second


def test_a_loss_that_blows_up_ends_it(load_data: Any) -> None:
    found, _ = on(load_data("diabetes"), range_test, {"optimizer": {"name": "momentum", "momentum": 0.99}})
    assert found.blew_up
    assert len(found.rates) < STEPS
    assert np.isfinite(found.losses).all()


def test_an_optimizer_that_searches_has_no_use_for_it(load_data: Any) -> None:
    with pytest.raises(ConfigError, match="lbfgs finds its step size by line search"):
        on(load_data("iris"), range_test, {"optimizer": "lbfgs"})


def test_it_is_left_when_nobody_wants_it_any_more(load_data: Any) -> None:
    asked = iter([False, False, True])
    found, heard = on(load_data("iris"), range_test, should_stop=lambda: next(asked))
    assert found is None
    assert len(heard) == 2


# -- the batch size --------------------------------------------------------------------------------------------


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A device whose memory fills by 100 bytes a sample of the largest batch so far, with quick timings."""
    state = SimpleNamespace(samples=0, free=10**9)
    monkeypatch.setattr(batch_finder, "TEST_SECONDS", 0.0)
    monkeypatch.setattr(batch_finder, "_used", lambda device: 5000 + 100 * state.samples)
    monkeypatch.setattr(batch_finder, "free_memory", lambda device: state.free)
    real = Batches.iterate

    def iterate(self: Any, size: int, *rest: Any) -> Any:
        state.samples = max(state.samples, size)
        return real(self, size, *rest)

    monkeypatch.setattr(Batches, "iterate", iterate)
    return state


def test_sizes_are_doubled_while_there_is_data(load_data: Any, memory: SimpleNamespace) -> None:
    found, heard = on(load_data("iris"), batch_test)
    assert [tried.batch_size for tried in found.tried] == [8, 16, 32, 64]
    assert [tried.memory for tried in found.tried] == [0, 800, 2400, 5600], "beyond a first step"
    assert found.ended == "data"
    assert heard == [(tried,) for tried in found.tried]
    assert all(tried.samples_per_second > 0 for tried in found.tried)


def test_a_size_that_would_take_too_much_is_not_tried(load_data: Any, memory: SimpleNamespace) -> None:
    memory.free = 5000  # four fifths are 4000
    found, _ = on(load_data("iris"), batch_test)
    assert (found.tried[-1].batch_size, found.ended, found.room) == (32, "memory", 4000), (
        "2400 for it, 5600 for 64"
    )


def test_running_out_of_memory_ends_it(
    load_data: Any, memory: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learner(config: Any, *rest: Any) -> Any:
        if config.training.batch_size > 16:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return Learner(config, *rest)

    monkeypatch.setattr(batch_finder, "learner_for", learner)
    found, _ = on(load_data("iris"), batch_test)
    assert (found.tried[-1].batch_size, found.ended) == (16, "out of memory")


def test_another_error_is_not_taken_for_one_of_memory(
    load_data: Any, memory: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learner(*rest: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(batch_finder, "learner_for", learner)
    with pytest.raises(RuntimeError, match="shapes"):
        on(load_data("iris"), batch_test)


def test_batches_are_not_tried_when_nobody_wants_them(load_data: Any, memory: SimpleNamespace) -> None:
    assert on(load_data("iris"), batch_test, should_stop=lambda: True) == (None, [])


def test_the_memory_of_this_process_is_measured(load_data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_finder, "TEST_SECONDS", 0.0)
    found, _ = on(load_data("wine"), batch_test)
    assert found.room > 0
    assert all(tried.memory >= 0 for tried in found.tried)


class Anywhere(torch.nn.Module):
    """A network that lies on whatever device one says."""

    def to(self, *place: Any, **options: Any) -> "Anywhere":
        return self


def test_on_a_gpu_the_peak_of_an_earlier_training_is_no_batch_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A made-up GPU that held 1 GB at most, and holds 1000 bytes now; 50 of its cache are free."""
    gpu = SimpleNamespace(now=1000, peak=10**9)
    calls = {
        "max_memory_allocated": lambda device: gpu.peak,
        "reset_peak_memory_stats": lambda device: setattr(gpu, "peak", gpu.now),
        "memory_allocated": lambda device: gpu.now,
        "memory_reserved": lambda device: gpu.now + 50,
        "mem_get_info": lambda device: (10**6 - 50, 10**9),
        "empty_cache": lambda: None,
    }
    for name, call in calls.items():
        monkeypatch.setattr(torch.cuda, name, call)

    def measured(
        config: Any, data: Any, model: Any, device: torch.device, size: int, should_stop: Any
    ) -> Any:
        gpu.peak = max(gpu.peak, gpu.now + 100 * size)
        return 1.0, batch_finder._used(device)

    monkeypatch.setattr(batch_finder, "_measured", measured)
    monkeypatch.setattr(batch_finder, "keeping_random_state", nullcontext)
    data: Any = SimpleNamespace(train=range(64))
    found = batch_test(
        from_dict({}),
        data,
        Anywhere(),
        torch.device("cuda"),
        on_report=lambda tried: None,
        should_stop=lambda: False,
    )
    assert found is not None
    assert [tried.memory for tried in found.tried] == [0, 800, 2400, 5600]
    assert found.room == int(batch_finder.MAX_SHARE * 10**6)
    assert free_memory(torch.device("cuda"), anew=True) == 10**6 + 1000


def test_the_smallest_of_the_fast_ones_is_suggested() -> None:
    speeds = {8: 100.0, 16: 190.0, 32: 290.0, 64: 310.0, 128: 305.0}
    tried = [TriedBatch(size, speed, 0) for size, speed in speeds.items()]
    assert BatchTest(tried, 0, "memory").suggestion == 32
    assert BatchTest([], 0, "out of memory").suggestion is None
