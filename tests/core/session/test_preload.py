"""Importing torch leaves the interpreter as it was."""

import gc
import sys

from core.session.preload import _open_libraries, _other_threads_first, load_backend


def test_the_collector_and_the_turns_of_threads_are_as_before() -> None:
    interval = sys.getswitchinterval()
    with _other_threads_first():
        assert not gc.isenabled()
        assert sys.getswitchinterval() < interval
    load_backend()
    assert gc.isenabled()
    assert sys.getswitchinterval() == interval


def test_the_libraries_of_torch_are_found_and_opened() -> None:
    assert _open_libraries() is (sys.platform in ("linux", "darwin"))
