"""Importance of columns, judged by the answers that the model gives."""

import numpy as np
import pytest
import torch

from core.config.schema import from_dict
from core.data.dataset import no_progress
from core.data.registry import load
from core.inference import importance
from core.losses import CrossEntropy


def test_answers_follow_from_the_threshold_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "REPEATS", 2)
    data = load(from_dict({"data": {"name": "moons"}}).data)
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2)

    def falls(thresholds: np.ndarray | None) -> list[float]:
        found = importance.importances(
            model, data, "validation", CrossEntropy(), torch.device("cpu"), no_progress, thresholds
        )
        return [one.fall for one in found]

    assert any(falls(None))
    assert not any(falls(np.array([2.0]))), "no sample is positive, whatever is shuffled"
