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
from contextlib import contextmanager, redirect_stderr, suppress
from multiprocessing.process import BaseProcess
from typing import NamedTuple, TextIO

import numpy as np

from core.data.images.depth import Extremes
from core.data.images.pictures import read_picture, reason
from core.safe_path import safe_import_path

__all__ = ["Findings", "decode_files", "out_of_reach", "sums_of", "workers"]


class Findings(NamedTuple):
    """Findings in some files, by their place among them.

    Attributes:
        broken: why files cannot be read; black stands in their place.
        deep: extremes of images with more than 8 bits in their one channel.
        wide: largest value read of images with 16 bits in each of several channels, of which 8 were read.
        several: files that hold more than one picture.
        sums: int64 (n, 2, channels): of the values of each image, and of their squares; None where they are written.
    """

    broken: dict[int, str]
    deep: dict[int, Extremes]
    wide: dict[int, int]
    several: list[int]
    sums: np.ndarray | None


def decode_files(
    folder: str,
    files: list[str],
    size: tuple[int, int],
    grey: bool,
    value_range: tuple[float, float] | None,
    target: tuple[str, int] | None,
) -> Findings:
    """Decode some files of a folder, and write them one after the other into an existing file.

    Args:
        size, grey, value_range: as `read_picture` takes them.
        target: the file, and its byte where the first one starts; None writes nothing, and sums the values up.

    Raises:
        OSError: `target` cannot be written.
    """
    channels = 1 if grey else 3
    pictures = np.zeros((len(files) if target else 0, channels, *size), np.uint8)
    found = Findings({}, {}, {}, [], None if target else np.zeros((len(files), 2, channels), np.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities that do not stop a picture from being read
        for place, file in enumerate(files):
            try:
                picture = read_picture(f"{folder}/{file}", size, grey=grey, value_range=value_range)
            except Exception as error:  # Pillow raises whatever it trips over in a damaged file
                found.broken[place] = reason(error)
                continue
            if found.sums is None:
                pictures[place] = picture.pixels
            else:
                found.sums[place] = sums_of(picture.pixels)
            if picture.extremes is not None:
                found.deep[place] = picture.extremes
            if picture.is_wide:
                found.wide[place] = int(picture.pixels.max())
            if picture.pages > 1:
                found.several.append(place)
    if target:
        _write(pictures, *target)
    return found


def sums_of(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of the values, and of their squares, of each channel of a picture, uint8 (channels, ...)."""
    values = pixels.reshape(len(pixels), -1)
    squares = np.square(values, dtype=np.uint16)
    return values.sum(axis=1, dtype=np.int64), squares.sum(axis=1, dtype=np.int64)


def _write(pictures: np.ndarray, file: str, offset: int) -> None:
    handle = os.open(file, os.O_WRONLY)
    try:
        rest = memoryview(pictures.tobytes())
        while rest:
            written = os.pwrite(handle, rest, offset)
            rest, offset = rest[written:], offset + written
    finally:
        os.close(handle)


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor | None]:
    """Context manager that gives processes of their own, not copies of this one: it has threads.

    They start when work is submitted, which belongs into `out_of_reach`. What is not started is dropped on an error.
    None where the system has no semaphores for them, as in a container without ``/dev/shm``.
    """
    context = multiprocessing.get_context("spawn")
    try:
        with out_of_reach():
            pool = ProcessPoolExecutor(count, mp_context=context, initializer=_watch_parent)
    except (OSError, NotImplementedError, ImportError):
        yield None
        return
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def out_of_reach() -> Iterator[None]:
    """Context manager that keeps Ctrl-C from processes started in it, even while they start; here it comes afterwards.

    Meanwhile stderr has a descriptor: an app may put something without one in its place, and multiprocessing would
    hand that on. Nor do they import anything from the current folder.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with redirect_stderr(_with_descriptor(sys.stderr)), safe_import_path():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _with_descriptor(stream: TextIO) -> TextIO | None:
    with suppress(OSError, ValueError):
        if stream.fileno() >= 0:
            return stream
    return sys.__stderr__


def _watch_parent() -> None:
    """Stop when the parent has stopped, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_stop_with, args=(parent,), daemon=True).start()


def _stop_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
