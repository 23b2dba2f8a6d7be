"""Images decoded in worker processes, straight into a file.

Imports nothing that takes long: each worker imports this module anew.
"""

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr
from multiprocessing.process import BaseProcess

import numpy as np

from core.data.images.pictures import read_picture, reason

__all__ = ["decode_files", "out_of_reach", "workers"]


def decode_files(
    folder: str, files: list[str], size: tuple[int, int], grey: bool, target: str, offset: int
) -> list[tuple[int, str]]:
    """Decode some files of a folder, and write them one after the other into an existing file.

    Args:
        offset: byte of `target` where the first one begins.

    Returns:
        For each file that cannot be read its place among `files`, and why; black stands in its place.

    Raises:
        OSError: `target` cannot be written.
    """
    pictures = np.zeros((len(files), 1 if grey else 3, *size), np.uint8)
    broken = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities that do not stop a picture from being read
        for place, file in enumerate(files):
            try:
                pictures[place] = read_picture(f"{folder}/{file}", size, grey=grey)
            except Exception as error:  # Pillow raises whatever it trips over in a damaged file
                broken.append((place, reason(error)))
    handle = os.open(target, os.O_WRONLY)
    try:
        rest = memoryview(pictures.tobytes())
        while rest:
            written = os.pwrite(handle, rest, offset)
            rest, offset = rest[written:], offset + written
    finally:
        os.close(handle)
    return broken


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of their own, not copies of this one: it has threads. What is not begun is dropped on an error.

    They start when work is submitted, which belongs into `out_of_reach`.
    """
    context = multiprocessing.get_context("spawn")
    with out_of_reach():
        pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def out_of_reach() -> Iterator[None]:
    """Ctrl-C does not reach processes that are started within, not even while they start; here it comes afterwards.

    Meanwhile stderr is the process's own: an app puts something without a file in its place, and multiprocessing
    would hand that on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with redirect_stderr(sys.__stderr__):
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """End when the parent has ended, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
