"""Changes to signals: each leaves most of a signal as it was."""

from typing import Any

import numpy as np
import pytest
import torch

from core.config import schema as configuration
from core.data.augment import signals
from core.data.augment.augmenter import augmenter
from core.data.registry import load
from core.errors import ConfigError
from core.losses import Auto

RAMP = torch.arange(1.0, 21.0).expand(40, 2, 20)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_noise_has_the_strength_that_is_asked_for() -> None:
    changed = signals.noise(torch.zeros(50, 3, 40), 0.5)
    assert float(changed.std()) == pytest.approx(0.5, rel=0.05)


def test_a_shift_moves_all_channels_alike_and_fills_with_the_mean() -> None:
    changed = signals.shift(RAMP, 0.2)
    assert torch.equal(changed[:, 0], changed[:, 1])
    steps = set()
    for signal in changed[:, 0].tolist():
        kept = [value for value in signal if value]
        assert kept == list(range(int(kept[0]), int(kept[0]) + len(kept)))
        steps.add(int(kept[0]) - 1 - signal.index(kept[0]))
    assert steps <= set(range(-4, 5))
    assert len(steps) > 4


def test_a_mask_hides_one_span_of_all_channels() -> None:
    changed = signals.mask(RAMP, 0.3)
    assert torch.equal(changed[:, 0], changed[:, 1])
    for signal in changed[:, 0]:
        hidden = torch.nonzero(signal == 0)[:, 0]
        assert 1 <= len(hidden) <= 6
        assert int(hidden[-1] - hidden[0]) == len(hidden) - 1
    assert torch.equal(changed[changed != 0], RAMP[changed != 0])


def test_changes_are_in_deviations_of_each_channel(tmp_path: Any) -> None:
    values = np.random.default_rng(0).normal(size=(60, 2, 30)).astype(np.float32)
    values[:, 1] = values[:, 1] * 100 + 1000
    np.savez(tmp_path / "a.npz", x=values, y=np.arange(60) % 2)
    section = {"name": "arrays", "path": str(tmp_path / "a.npz"), "shape": "signal", "augment": ["noise:1"]}
    options: Any = configuration.from_dict({"data": section}).data
    data = load(options)
    change = augmenter(options, data, Auto(), 0)(1)
    assert change is not None
    inputs: Any = data.train.inputs
    changed, targets = change(inputs, data.train.targets, 0)
    assert torch.equal(targets, data.train.targets)
    added = (changed - inputs).std(dim=(0, 2))
    assert torch.allclose(added, data.std[:, 0], rtol=0.1)
    assert torch.equal(change(inputs, data.train.targets, 0)[0], changed)
    images: Any = configuration.from_dict({"data": section | {"augment": ["crop"]}}).data
    with pytest.raises(ConfigError, match=r"crop does not fit signals\. Takes noise, shift, mask"):
        augmenter(images, data, Auto(), 0)
