"""Who follows a file is told when it has grown, once ready for it, as long as they follow it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.runtime.growth import size_of, watch_size

PATIENCE = 600.0


class Follower:
    """Notes when it is told; `goes_on` lets its thread end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.looked, self.told, self.is_ready = threading.Semaphore(0), threading.Semaphore(0), True
        self.goes_on = True
        watch_size(path, self.told.release, ready=lambda: self.is_ready, wanted=self.look)

    def look(self) -> bool:
        self.looked.release()
        return self.goes_on

    def add(self) -> None:
        with self.path.open("a") as file:
            file.write("more\n")

    def rest(self) -> None:
        """Wait until it has looked twice from now on."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(3):
            assert self.looked.acquire(timeout=PATIENCE)


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(tmp_path / "log")
    follower.rest()
    yield follower
    follower.goes_on = False


def test_a_file_that_begins_and_grows_is_told_of(follower: Follower) -> None:
    assert size_of(follower.path) == 0
    for _ in range(2):
        follower.add()
        assert follower.told.acquire(timeout=PATIENCE)
        follower.rest()
        assert not follower.told.acquire(blocking=False)


def test_what_has_come_waits_until_one_is_ready_and_is_told_once(follower: Follower) -> None:
    follower.is_ready = False
    for _ in range(2):
        follower.add()
        follower.rest()
    assert not follower.told.acquire(blocking=False)
    follower.is_ready = True
    assert follower.told.acquire(timeout=PATIENCE)
    follower.rest()
    assert not follower.told.acquire(blocking=False)


def test_the_thread_ends_when_nobody_follows_the_file(follower: Follower) -> None:
    (thread,) = (thread for thread in threading.enumerate() if thread.name == f"growth of {follower.path}")
    follower.goes_on = False
    thread.join(PATIENCE)
    assert not thread.is_alive()
