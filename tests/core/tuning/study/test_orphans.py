"""Workers that outlive the process of their study for a moment: their trials are not trained from the start again."""

import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.tuning.search.plan import make_plan
from core.tuning.study import given
from core.tuning.study.claims import Claims, give_back
from core.tuning.study.presence import Presence
from core.tuning.study.study import create_study


@pytest.mark.parametrize(
    ("held", "resumes"), [(iter([False]), True), (iter([True, True, False]), True), (repeat(True), False)]
)
def test_a_trial_is_resumed_once_its_worker_has_ended(
    held: Iterator[bool], resumes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    study = create_study(tmp_path, make_plan(base, {"optimizer.lr": [0.1]}, method="grid"))
    claims = Claims(study, Presence(study.folder, study.optuna))
    first = claims.next()
    assert first is not None
    run = given.prepare(study, first, 1, None).task.run
    give_back(study, first.attempt.number)
    again = claims.next()
    assert again is not None
    now = [0.0]
    monkeypatch.setattr(given, "is_held", lambda run: next(held))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    assert (given.prepare(study, again, 1, None).task.run == run) is resumes
