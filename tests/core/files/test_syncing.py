"""Files of trials are synced in the background, in order; all others before their writer goes on."""

import os
import queue
import threading
from pathlib import Path

import pytest

from core.files.atomic import write_atomically
from core.files.syncing import synced_soon

Synced = tuple[str, bool]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> "queue.SimpleQueue[Synced]":
    """Name of what is synced, and whether the writer waits for it."""
    found: queue.SimpleQueue[Synced] = queue.SimpleQueue()
    writer = threading.get_ident()

    def note(handle: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))
        found.put((name.removeprefix(".").partition(".")[0], threading.get_ident() == writer))

    monkeypatch.setattr(os, "fsync", note)
    return found


def test_what_is_in_a_folder_is_synced_soon_and_all_else_at_once(
    synced: "queue.SimpleQueue[Synced]", tmp_path: Path
) -> None:
    inside, outside = tmp_path / "trials" / "one", tmp_path / "run"
    inside.mkdir(parents=True)
    outside.mkdir()
    with synced_soon(tmp_path / "trials"):
        write_atomically(inside / "a.txt", lambda file: file.write(b"a"))
        assert [synced.get(timeout=600) for _ in range(2)] == [("a", False), ("one", False)]
        write_atomically(outside / "b.txt", lambda file: file.write(b"b"))
        assert [synced.get(timeout=600) for _ in range(2)] == [("b", True), ("run", True)]
    write_atomically(inside / "c.txt", lambda file: file.write(b"c"))
    assert [synced.get(timeout=600) for _ in range(2)] == [("c", True), ("one", True)]
    assert (inside / "a.txt").read_bytes() == b"a"


def test_a_disk_that_is_behind_is_waited_for(
    synced: "queue.SimpleQueue[Synced]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.files.syncing.MAX_PENDING", 0)
    with synced_soon(tmp_path):
        write_atomically(tmp_path / "a.txt", lambda file: file.write(b"a"))
    assert synced.get(timeout=600) == ("a", True)
