"""The files of a run: written whole, read while they grow, told apart from damaged ones."""

import errno
import os
import random
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from core import RunWriter
from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import RunDamaged, RunError, RunLocked
from core.events import Event, Notice, RunPaused
from core.files.atomic import write_atomically
from core.runs.checkpoints import FolderCheckpoints, load_checkpoint
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.lock import hold, is_held, missing_lock_warning
from core.runs.log import EventLog, LogReader, all_events
from core.runs.requests import claimed
from tests.support.locks import refuse_locks
from tests.support.narrow import instance
from tests.support.repository import REPOSITORY


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path, TrainConfig())


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Context manager in which no file grows beyond `size` bytes, like on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# -- the event log ---------------------------------------------------------------------------------------------


def test_a_reader_follows_a_growing_log(run: Run) -> None:
    reader = LogReader(run.log_file)
    assert reader.read() == []
    log = EventLog(run)
    events = [Notice(level="info", message=f"{number} ü\n") for number in range(5)]
    for event in events[:3]:
        log.write(event)
    assert reader.read() == events[:3]
    assert reader.read() == []
    for event in events[3:]:
        log.write(event)
    log.close()
    assert reader.read() == events[3:]
    assert LogReader(run.log_file).read() == events


def test_a_half_written_line_waits_for_its_other_half(run: Run) -> None:
    EventLog(run).write(RunPaused(epoch=1, step=2))
    line = run.log_file.read_bytes()
    reader = LogReader(run.log_file)
    seen: list[Event] = []
    run.log_file.write_bytes(b"")
    for byte in line:
        with run.log_file.open("ab") as file:
            file.write(bytes([byte]))
        assert seen == []
        seen = reader.read()
    assert [type(event) for event in seen] == [RunPaused]
    assert reader.damaged == 0


def test_a_torn_line_costs_only_itself(run: Run) -> None:
    EventLog(run).write(RunPaused(epoch=1, step=2))
    with run.log_file.open("ab") as file:
        file.write(b'{"v": 1, "event": "epo')
    EventLog(run).write(RunPaused(epoch=3, step=4))
    reader = LogReader(run.log_file)
    assert [instance(RunPaused, event).epoch for event in reader.read()] == [1, 3]
    assert reader.damaged == 1


def test_a_full_disk_costs_only_the_events_it_had_no_room_for(run: Run) -> None:
    log = EventLog(run)
    log.write(RunPaused(epoch=1, step=2))
    size = run.log_file.stat().st_size
    with limited_files(size + 10):
        log.write(RunPaused(epoch=2, step=2))  # there is room for a part of it
        with pytest.raises(RunError, match="File too large"):
            log.write(RunPaused(epoch=3, step=2))
    log.write(RunPaused(epoch=4, step=2))
    read = LogReader(run.log_file).read()
    assert [instance(RunPaused, event).epoch for event in read] == [1, 4]


def test_a_log_larger_than_one_read_comes_in_pieces(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.log.READ_BYTES", 100)
    log = EventLog(run)
    for number in range(20):
        log.write(RunPaused(epoch=number, step=0))
    reader = LogReader(run.log_file)
    seen: list[Any] = []
    while reader.offset < run.log_file.stat().st_size:
        seen += reader.read()
    assert [event.epoch for event in seen] == list(range(20))


@pytest.mark.parametrize("length", [50_000, 500_000])
def test_a_line_of_any_length_costs_only_itself(
    run: Run, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Each byte is taken in once, and no more of a line is kept than an event can have."""
    monkeypatch.setattr("core.runs.log.READ_BYTES", 1000)
    monkeypatch.setattr("core.runs.log.LONGEST_LINE", 100_000)
    EventLog(run).write(RunPaused(epoch=1, step=2))
    os.truncate(run.log_file, length)  # a line of zeros
    EventLog(run).write(RunPaused(epoch=3, step=4))
    reader, seen, kept = LogReader(run.log_file), [], 0
    while reader.offset < run.log_file.stat().st_size:
        before = reader.offset
        seen += reader.read()
        kept = max(kept, len(reader._torn))
        assert reader.offset - before <= 1000
    assert [instance(RunPaused, event).epoch for event in seen] == [1, 3]
    assert reader.damaged == 1
    assert kept <= 101_000
    assert list(all_events(run.log_file)) == seen


def test_a_log_that_cannot_be_written_is_told(run: Run) -> None:
    run.log_file.mkdir()
    with pytest.raises(RunError, match=r"cannot write .*events\.jsonl"):
        EventLog(run)


# -- whole files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["os.replace", "os.fsync", "os.open"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    before = run.config_file.read_bytes()

    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"core.files.atomic.{call}", fail)
    with pytest.raises(RunError, match=r"cannot write .*config\.yaml: No space left on device"):
        write_atomically(run.config_file, lambda file: file.write(b"new"))
    assert run.config_file.read_bytes() == before
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "run.lock"]


def test_an_interrupted_write_leaves_the_old_file(run: Run) -> None:
    before = run.config_file.read_bytes()

    def interrupted(file: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(run.config_file, interrupted)
    assert run.config_file.read_bytes() == before
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "run.lock"]


@pytest.mark.parametrize("mask", [0o022, 0o027])
def test_whoever_may_read_a_new_file_may_read_every_file_of_a_run(
    mask: int, train_run: Callable[..., Any]
) -> None:
    before = os.umask(mask)
    try:
        run = train_run({"data": "iris", "training": {"epochs": 1}}).run
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in run.path.rglob("*") if path.is_file()}
    assert {"config.yaml", "data.json", "best.pt", "report.json", "predictions.npz"} <= set(modes)
    assert modes == dict.fromkeys(modes, 0o644 & ~mask)


# -- checkpoints -----------------------------------------------------------------------------------------------

STATE: dict[str, Any] = {
    "model": {"w": torch.arange(5.0)},
    "progress": {"epoch": 3, "best_value": float("inf")},
}


def test_a_checkpoint_comes_back_as_it_was(run: Run) -> None:
    FolderCheckpoints(run).save(STATE, "last")
    back = load_checkpoint(run, "last")
    assert torch.equal(back["model"]["w"], STATE["model"]["w"])
    assert back["progress"] == STATE["progress"]


def test_a_full_disk_leaves_the_old_checkpoint(run: Run) -> None:
    """PyTorch's writer hides the operating system's error behind one of its own."""
    checkpoints = FolderCheckpoints(run)
    checkpoints.save(STATE, "last")
    with limited_files(4000), pytest.raises(RunError, match=r"cannot write .*last\.pt: File too large"):
        checkpoints.save({**STATE, "model": {"w": torch.zeros(100_000)}}, "last")
    assert torch.equal(load_checkpoint(run, "last")["model"]["w"], STATE["model"]["w"])
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["last.pt"]


def test_a_missing_checkpoint_is_told(run: Run) -> None:
    with pytest.raises(RunDamaged, match=r"has no checkpoint best\.pt"):
        load_checkpoint(run, "best")


@pytest.mark.parametrize("content", [[1, 2], {"weights": 1}, {"model": {}}], ids=str)
def test_another_file_of_torch_is_no_checkpoint(run: Run, content: Any) -> None:
    FolderCheckpoints(run).save(STATE, "last")
    torch.save(content, run.checkpoint_file("last"))
    with pytest.raises(RunDamaged, match="is not a checkpoint"):
        load_checkpoint(run, "last")


def test_code_in_a_checkpoint_is_not_run(run: Run, tmp_path: Path) -> None:
    FolderCheckpoints(run).save(STATE, "last")
    torch.save({"model": Bomb(tmp_path / "exploded")}, run.checkpoint_file("last"))
    with pytest.raises(RunDamaged):
        load_checkpoint(run, "last")
    assert not (tmp_path / "exploded").exists()


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_damaged_checkpoint_is_told_whatever_the_damage(run: Run) -> None:
    FolderCheckpoints(run).save(STATE, "last")
    path = run.checkpoint_file("last")
    whole = path.read_bytes()
    dice = random.Random(0)
    refused: list[str] = []
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(dice.choice([1, 4, 40])):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.choice([len(content), dice.randrange(len(content))])])
        try:
            load_checkpoint(run, "last")
        except RunDamaged as error:
            refused.append(str(error))
    assert len(refused) > 200
    assert all("last.pt" in message and "\n" not in message for message in refused)


# -- the lock --------------------------------------------------------------------------------------------------

HOLD = """
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from core.runs.folder import Run
from core.runs.lock import hold
with hold(Run(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_two_processes_do_not_train_one_run(run: Run) -> None:
    assert not is_held(run)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert is_held(run)
        with (
            pytest.raises(RunLocked, match=f"{run.id} is being trained by process {other.pid} on "),
            hold(run),
        ):
            pass
        other.kill()
    assert not is_held(run)
    with hold(run):
        assert is_held(run)
    assert not is_held(run)


@pytest.mark.parametrize("code", ["ENOSYS", "EOPNOTSUPP", "ENOTSUP", "ENOLCK"])
def test_a_disk_without_locks_trains_all_the_same_and_says_what_is_not_guarded(
    run: Run, monkeypatch: pytest.MonkeyPatch, train_run: Callable[..., Any], code: str
) -> None:
    assert missing_lock_warning(run) == ""
    with hold(run):
        assert missing_lock_warning(run) == ""
    refuse_locks(monkeypatch, getattr(errno, code))
    trained = train_run({"data": "iris", "training": {"epochs": 1}})
    assert trained.finished.status == "completed"
    assert [notice.message for notice in trained.told(Notice)] == [missing_lock_warning(trained.run)]
    assert not is_held(trained.run)
    with RunWriter("mine", runs_dir=run.path.parent) as writer:
        pass
    assert missing_lock_warning(writer.run) in writer.run.log_file.read_text()


def test_another_error_of_a_lock_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(monkeypatch, errno.EIO)
    with pytest.raises(RunError, match=r"cannot write .*run\.lock: Input/output error"), hold(run):
        pass


def test_a_lock_that_cannot_be_made_is_told(run: Run) -> None:
    run.lock_file.unlink()
    run.lock_file.mkdir()
    with pytest.raises(RunError, match=r"cannot write .*run\.lock"), hold(run):
        pass


# -- started twice at once -------------------------------------------------------------------------------------


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """Return what each of several threads got or raised that began at the same moment."""
    ready = threading.Barrier(count)

    def begin() -> Any:
        ready.wait()
        try:
            return act()
        except RunError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(begin) for _ in range(count)]]


def test_of_several_that_resume_a_run_at_once_one_owns_it_and_the_others_are_told(run: Run) -> None:
    tried = threading.Barrier(4)

    def own() -> str:
        try:
            with claimed(run, RunControl()):
                tried.wait()  # until all others have been refused
                return "owner"
        except RunLocked:
            tried.wait()
            raise

    answers = at_once(4, own)
    refused = [answer for answer in answers if isinstance(answer, RunLocked)]
    assert answers.count("owner") == 1
    assert [str(error).partition(" on ")[0] for error in refused] == [
        f"{run.id} is being trained by process {os.getpid()}"
    ] * 3


def test_runs_that_begin_in_the_same_second_with_the_same_name_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.creating.ALPHABET", "ab")  # 8 names
    monkeypatch.setattr("core.runs.creating.time.strftime", lambda form: "2026-11-23_1200")
    runs = at_once(8, lambda: create_run(tmp_path, TrainConfig()))
    assert len({run.id for run in runs}) == 8
    assert all(run.config() == TrainConfig() for run in runs)
