"""Disks that fill up, turn read-only or vanish, memory that runs out: training goes on where it can, and says so."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config.schema import from_dict
from core.control import RunControl
from core.errors import OutOfMemory
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
)
from core.models.summary import Layer, ModelSummary
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run, all_runs
from core.runs.log import LogReader
from core.runs.summary import summarise
from core.training.memory import is_shortage, out_of_memory
from tests.support.narrow import some

Train = Callable[..., Any]
NOBODY = 65534
EPOCHS = 16
VALUES = {"data": {"name": "digits", "test": 0.8}, "model": "linear", "training": {"epochs": EPOCHS}}


@pytest.fixture(autouse=True)
def every_step_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fits into the last block of a file on a full disk."""
    monkeypatch.setattr("core.training.engine.LOG_SECONDS", 0.0)
    monkeypatch.setattr("core.training.engine.MAX_PENDING_STEPS", 1)


def notices(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def only_run(folder: Path) -> Run:
    (run,) = all_runs(folder / "runs")
    return run


class Fault:
    """Begins when the first checkpoint is on disk, ends some epochs later; checkpoints are asked for meanwhile."""

    def __init__(self, begin: Callable[[], object], end: Callable[[], object] = lambda: None) -> None:
        self.begin, self.end = begin, end
        self.good: CheckpointSaved | None = None

    def __call__(self, event: Event, control: RunControl) -> None:
        if isinstance(event, CheckpointSaved) and event.kind == "last" and self.good is None:
            self.good = event
            self.begin()
        elif isinstance(event, EpochFinished):
            control.checkpoint()
            if event.epoch == EPOCHS - 3:
                self.end()


# -- disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The folder of the runs, on a disk of its own with room for one run."""
    place = tmp_path / "runs"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        file.writelines(itertools.repeat(b"x" * 512))


@pytest.mark.slow
def test_a_full_disk_ends_nothing_and_is_used_again_when_it_has_room(
    train_run: Train, small_disk: Path
) -> None:
    full = Fault(lambda: fill(small_disk), lambda: (small_disk / "filler").unlink())
    trained = train_run(VALUES, on_event=full)
    run = trained.run

    assert trained.finished.status == "completed"
    told = "\n".join(notices(trained.events))
    assert f"event log not written: cannot write {run.log_file}: No space left on device" in told
    assert f"checkpoint not saved: cannot write {run.checkpoint_file('last')}: No space left" in told
    assert trained.told(CheckpointSaved)[-1].step == trained.told(EpochFinished)[-1].step
    assert summarise(run).status == "completed"

    reader = LogReader(run.log_file)
    log = reader.read()
    assert "the event log is being written again; earlier events are missing" in notices(log)
    epochs = [event.epoch for event in log if isinstance(event, EpochFinished)]
    assert len(epochs) < EPOCHS, "some could not be told"
    assert (epochs[0], epochs[-1]) == (1, EPOCHS)
    assert reader.damaged <= 1


@pytest.mark.slow
def test_a_disk_that_stays_full_keeps_the_last_good_checkpoint(train_run: Train, small_disk: Path) -> None:
    undisturbed = train_run(VALUES)
    weights = undisturbed.weights()
    shutil.rmtree(undisturbed.run.path)

    fault = Fault(lambda: fill(small_disk))
    trained = train_run(VALUES, on_event=fault)
    run = trained.run
    assert trained.finished.status == "completed", "all epochs are trained"
    assert len(trained.told(EvaluationFinished)) == 2, "and its results are told"
    assert any("evaluation on test not saved: cannot write" in told for told in notices(trained.events))
    assert load_checkpoint(run, "last")["progress"]["step"] == some(fault.good).step
    assert summarise(run).status == "interrupted", "there was no room to tell the end"

    (small_disk / "filler").unlink()
    resumed = train_run(run=run)
    assert resumed.told(RunStarted)[0].step == some(fault.good).step
    assert all(torch.equal(weight, resumed.weights()[name]) for name, weight in weights.items())


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_any_more(train_run: Train, tmp_path: Path) -> None:
    def folders() -> list[Path]:
        run = only_run(tmp_path)
        return [run.path, *run.path.glob("*/")]

    def forbid() -> None:
        for folder in folders():
            folder.chmod(0o555)
        if os.getuid() == 0:  # nothing is forbidden to root
            os.seteuid(NOBODY)

    def allow() -> None:
        os.seteuid(os.getuid())
        for folder in folders():
            folder.chmod(0o755)

    try:
        trained = train_run(VALUES, on_event=Fault(forbid, allow))
    finally:
        os.seteuid(os.getuid())
    assert trained.finished.status == "completed"
    assert any(f"checkpoint not saved: cannot write {trained.run.path}" in t for t in notices(trained.events))
    assert trained.told(CheckpointSaved)[-1].step == trained.told(EpochFinished)[-1].step
    assert summarise(trained.run).status == "completed"


@pytest.mark.slow
def test_a_folder_that_vanishes_and_comes_back(train_run: Train, tmp_path: Path) -> None:
    away, place = tmp_path / "away", []

    def go() -> None:
        place.append(only_run(tmp_path).path)
        place[0].rename(away)

    trained = train_run(VALUES, on_event=Fault(go, lambda: away.rename(place[0])))
    assert trained.finished.status == "completed"
    assert any(f"checkpoint not saved: cannot write {place[0]}" in text for text in notices(trained.events))
    assert trained.told(CheckpointSaved)[-1].step == trained.told(EpochFinished)[-1].step
    log = LogReader(trained.run.log_file).read()
    assert [event.epoch for event in log if isinstance(event, EpochFinished)] == [*range(1, EPOCHS + 1)]


def test_a_folder_that_was_deleted_stays_deleted(train_run: Train, tmp_path: Path) -> None:
    trained = train_run(VALUES, on_event=Fault(lambda: shutil.rmtree(only_run(tmp_path).path)))
    assert trained.finished.status == "completed"
    assert len(trained.told(EvaluationFinished)) == 2
    told = "\n".join(notices(trained.events))
    for what in ("event log not written", "checkpoint not saved", "evaluation on test not saved"):
        assert f"{what}: cannot write {trained.run.path}" in told
    assert not trained.run.path.exists()


# -- memory ----------------------------------------------------------------------------------------------------


def fill_memory(control: RunControl, model: Any) -> None:
    torch.empty(1 << 60, dtype=torch.uint8)  # more than any processor can address


def cuda_is_full(control: RunControl, model: Any) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def python_is_full(control: RunControl, model: Any) -> None:
    raise MemoryError


@pytest.mark.parametrize("fails", [fill_memory, cuda_is_full, python_is_full])
def test_out_of_memory_names_the_batch_and_what_fits(
    train_run: Train, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., None]
) -> None:
    monkeypatch.setattr("core.training.memory.free_memory", lambda device, anew: 1 << 20)
    trained = train_run({**VALUES, "training": {"epochs": 2, "batch_size": 200}}, at_step=(1, fails))
    assert trained.finished.status == "failed"
    assert trained.finished.error == (
        "out of memory on cpu with batches of 200 samples, linear and 0.0 GiB are free: about 100 should fit. "
        "Try training.batch_size=100, or a smaller model"
    )
    assert trained.finished.traceback == ""
    assert summarise(trained.run).error == trained.finished.error


def test_another_error_is_not_taken_for_a_shortage(train_run: Train) -> None:
    def fail(control: RunControl, model: Any) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    trained = train_run(VALUES, at_step=(1, fail))
    error = "RuntimeError: mat1 and mat2 shapes cannot be multiplied, in epoch 1, batch 1: inputs"
    assert trained.finished.error.startswith(error)


def test_out_of_memory_before_the_run_begins(
    train_run: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("core.session.preparation.load", lambda *_, **__: fill_memory(RunControl(), None))
    with pytest.raises(OutOfMemory, match="out of memory while preparing digits and linear") as caught:
        train_run(VALUES)
    assert caught.value.exit_code == 1
    assert not (tmp_path / "runs").exists()


def test_what_should_fit_is_estimated_from_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    summary = ModelSummary(
        (Layer("a", "Linear", (1000,), 5), Layer("b", "Conv", (10, 30, 30), 5)), 10, 10, 10
    )
    config = from_dict({"training": {"batch_size": 4096}})
    a_sample = 4 * (1000 + 9000)
    for samples, wanted in (
        (1000, "training.batch_size=128"),
        (100, "training.batch_size=16"),
        (1, "not even one sample fits"),
    ):
        monkeypatch.setattr(
            "core.training.memory.free_memory", lambda device, anew, free=samples * a_sample: free
        )
        assert wanted in str(out_of_memory(config, summary, torch.device("cpu")))


@pytest.mark.parametrize(
    "message",
    [
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 byte",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
        "MPS backend out of memory (MPS allocated: 1.00 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_every_device_says_it_in_its_own_words(message: str) -> None:
    assert is_shortage(RuntimeError(message))
    assert not is_shortage(ValueError(message))


def test_the_end_is_told_even_when_nothing_can_be_written(train_run: Train, tmp_path: Path) -> None:
    """A failure and a full disk at once."""

    def fail(control: RunControl, model: Any) -> None:
        shutil.rmtree(only_run(tmp_path).path)
        raise MemoryError

    trained = train_run(VALUES, at_step=(5, fail))
    assert isinstance(trained.events[-1], RunFinished)
    assert trained.finished.error.startswith("out of memory on cpu")
