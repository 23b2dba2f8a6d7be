"""Where a run is trained, before it is trained."""

import pytest

from core.config import TrainConfig
from core.errors import RunError
from tui.hosts import AppHost


def test_a_stop_ends_what_goes_on_before_the_training(tmp_path):
    host = AppHost(TrainConfig(), tmp_path / "runs", tmp_path)
    host.request("stop")
    with pytest.raises(RunError, match="stopped before the training began"):
        host._preparing("decoding images", 2, 4)
    assert host.join(60)
