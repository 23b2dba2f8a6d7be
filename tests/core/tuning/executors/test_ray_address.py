"""Which Ray cluster is connected to: never one that has ended, for which Ray would wait for many minutes."""

import socket
from pathlib import Path

import pytest

from core.tuning.executors.ray_executor import _reachable


@pytest.fixture
def last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which Ray keeps the address of the cluster that was started here last."""
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray" / "ray_current_cluster"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_without_a_cluster_ray_decides(last: Path) -> None:
    assert _reachable(None) is None


def test_a_cluster_that_runs_is_joined_and_one_that_was_killed_is_not(last: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as cluster:
        last.write_text(f"127.0.0.1:{cluster.getsockname()[1]}")
        assert (_reachable(None), _reachable("auto")) == (None, "auto")
    last.write_text(f"127.0.0.1:{free_port()}")
    assert _reachable(None) == "local"
    with pytest.raises(OSError, match="refused"):
        _reachable("auto")


def test_an_address_that_was_asked_for_is_not_replaced(last: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = f"127.0.0.1:{free_port()}"
    with pytest.raises(OSError, match="refused"):
        _reachable(dead)
    monkeypatch.setenv("RAY_ADDRESS", dead)
    with pytest.raises(OSError, match="refused"):
        _reachable(None)
    assert _reachable("local") == "local"
