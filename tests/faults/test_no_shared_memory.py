"""A machine without ``/dev/shm``, as some containers are: nothing that starts processes needs it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.images.decoding import workers
from tests.support.own_data import write_image_folder
from tests.support.repository import REPOSITORY

HIDDEN = "mount -t tmpfs -o ro,mode=000 tmpfs /dev/shm && exec "
"""Begins a command of the shell in a mount namespace of its own."""


def without_shared_memory(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``tui`` where ``/dev/shm`` is an empty folder that cannot be written."""
    answer = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{HIDDEN}{sys.executable} -P -m tui {line}"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if "unshare:" in answer.stderr or "mount:" in answer.stderr:
        pytest.skip(f"no mount namespace here: {answer.stderr.strip()}")
    return answer


@pytest.mark.heavy
def test_images_are_decoded_in_the_process_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 8, 8)).astype(np.uint8)
    write_image_folder(tmp_path / "mine", images, np.arange(600) % 2)
    answer = without_shared_memory(
        "train --no-ui --data mine/ --epochs 1 --device cpu --data-root data --quiet", tmp_path
    )
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.heavy
def test_trials_run_at_once(tmp_path: Path) -> None:
    line = "tune --no-ui --data iris --model mlp --trials 2 --jobs 2 --epochs 1 --device cpu -p lr=0.01,0.1 --quiet"
    answer = without_shared_memory(line, tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), ImportError("no sem_open")])
def test_without_semaphores_there_are_no_workers(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("core.data.images.decoding.ProcessPoolExecutor", refuse)
    with workers(2) as pool:
        assert pool is None
