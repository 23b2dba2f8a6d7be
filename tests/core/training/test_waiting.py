"""How long the loop waits for data is logged with its steps."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.data.batches import Batch, Batches
from core.events import StepLogged


@pytest.mark.parametrize(("reading", "expected"), [(3.0, 0.75), (0.0, 0.0)])
def test_the_fraction_of_the_time_that_batches_take(
    train_run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, reading: float, expected: float
) -> None:
    now = [0.0]
    usual = Batches.iterate

    def slow(self: Batches, *given: Any, **named: Any) -> Iterator[Batch]:
        for batch in usual(self, *given, **named):
            now[0] += reading
            yield batch

    def step(control: Any, model: torch.nn.Module) -> None:
        model.register_forward_hook(lambda *_: now.__setitem__(0, now[0] + 1.0))

    monkeypatch.setattr(Batches, "iterate", slow)
    monkeypatch.setattr("core.training.engine.time", SimpleNamespace(perf_counter=lambda: now[0]))
    run = train_run(
        {"data": "iris", "model": "mlp", "training": {"epochs": 1, "batch_size": 16}}, at_step=(1, step)
    )
    assert run.finished.status == "completed", run.finished.error
    waited = [event.waiting for event in run.events if isinstance(event, StepLogged)]
    assert len(waited) > 3
    assert waited[1:] == [pytest.approx(expected)] * (len(waited) - 1)
