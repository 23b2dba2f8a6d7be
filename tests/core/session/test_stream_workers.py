"""The number of processes that read a stream is the one whose steps take the least time."""

from typing import Any

import pytest

from core.config import schema as configuration
from core.session import session, stream_workers
from core.user_code.trust import trust
from tests.core.session.test_streamed_runs import FILE


@pytest.mark.parametrize(("two", "chosen"), [(0.5, 2), (0.95, 0)])
def test_workers_are_taken_where_they_make_steps_shorter(
    two: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(FILE)
    values = {"data": {"name": f"{FILE}:plain", "feed": "stream"}, "training": {"epochs": 9}}
    prepared = session.prepare(configuration.from_dict(values), None, lambda what, done, total: None)
    rows: Any = prepared.data.train.inputs
    times = {1: 0.97, 2: two}
    monkeypatch.setattr(stream_workers, "available_cores", lambda: 2)
    monkeypatch.setattr(stream_workers, "_timed_alone", lambda *of: (1.0, 1.0))
    monkeypatch.setattr(stream_workers, "_timed", lambda rows, size, step, count, reading: times[count])
    message = stream_workers.choose_workers(prepared)
    assert rows.workers.count == chosen
    assert message.startswith(f"batches are read by {chosen} worker processes (a step with 0: 1e+03 ms")
    assert message.endswith("data.workers sets it")
