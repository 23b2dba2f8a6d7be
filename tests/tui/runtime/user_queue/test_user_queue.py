"""The queue of a user: its order, what can start, and what becomes of entries when a process is killed."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from core.config.schema import TrainConfig
from core.errors import DeviceError, InputError, RunError
from core.files.lock import FileLock
from core.gpus import claims
from core.gpus.process import GIVEN
from core.gpus.table import GpuState
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.lock import hold, is_held
from core.runs.origin.announcing import ANNOUNCED
from core.runs.summary import summarise
from core.status import Ending
from tests.support.written_runs import write_run
from tui.runtime.hosts.host import WantedRun
from tui.runtime.user_queue import adding, store, unseen, work
from tui.runtime.user_queue.entries import MAX_ENDED, Entry, Lineup, added, entry_of, moved, removed, replaced
from tui.runtime.user_queue.places import Start, starts_of
from tui.runtime.user_queue.store import (
    change_lineup,
    console_of,
    hold_entry,
    hold_work,
    queue_folder,
    read_lineup,
    worked_on_by,
)
from tui.runtime.user_queue.texts import facts_of, lines_of, standing_of
from tui.runtime.user_queue.unseen import with_those_that_run
from tui.runtime.user_queue.work import _Working

GIB = 1 << 30


@pytest.fixture(autouse=True)
def own_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of the test, on a machine without GPUs; nothing works on it."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    monkeypatch.setattr(claims, "LOCAL", tmp_path)
    monkeypatch.setattr(adding, "gpus_here", tuple)
    monkeypatch.setattr(work, "gpus_here", tuple)
    monkeypatch.setattr(adding, "start_working", lambda: None)


def entry(title: str, gpus: int | None = None) -> Entry:
    return Entry(id=0, words=("train",), folder="/", title=title, gpus=gpus)


def lineup_of(*titles: str, gpus: int | None = None) -> Lineup:
    lineup = Lineup()
    for title in titles:
        lineup = added(lineup, entry(title, gpus))
    return lineup


def titles(lineup: Lineup) -> str:
    return " ".join(one.title for one in lineup.entries)


def gpus(count: int, busy: tuple[int, ...] = ()) -> tuple[GpuState, ...]:
    return tuple(
        GpuState(
            index=str(place),
            uuid=f"GPU-{place}",
            name="A100",
            total=40 * GIB,
            used=0,
            users=((77, GIB),) if place in busy else (),
        )
        for place in range(count)
    )


def test_entries_that_wait_change_places_and_others_do_not() -> None:
    lineup = lineup_of("a", "b", "c", "d")
    lineup = replaced(lineup, lineup.entries[0].model_copy(update={"state": "running"}))
    assert titles(moved(lineup, 4, "first")) == "a d b c"
    assert titles(moved(lineup, 3, "up")) == "a c b d"
    assert titles(moved(lineup, 2, "down")) == "a c b d"
    assert titles(moved(lineup, 4, "down")) == titles(moved(lineup, 2, "up")) == "a b c d"
    assert titles(removed(lineup, 3)) == "a b d"
    with pytest.raises(InputError, match="entry 1 of the queue is running"):
        moved(lineup, 1, "up")
    with pytest.raises(InputError, match="entry 1 of the queue is running"):
        removed(lineup, 1)
    with pytest.raises(InputError, match="no entry 9"):
        entry_of(lineup, 9)
    assert added(removed(lineup, 4), entry("e")).entries[-1].id == 5, "a number is not used again"


def test_the_oldest_of_many_that_have_ended_are_forgotten() -> None:
    lineup = lineup_of(*(str(number) for number in range(MAX_ENDED + 3)))
    for number, one in enumerate(lineup.entries):
        lineup = replaced(lineup, one.model_copy(update={"state": "completed", "ended": float(number)}))
    assert [one.title for one in lineup.entries] == [str(number) for number in range(3, MAX_ENDED + 3)]


def numbers(starts: list[Start]) -> list[tuple[int, str]]:
    for start in starts:
        for lock in start.locks:
            lock.close()
    return [(start.entry.id, "".join(gpu.index for gpu in start.gpus)) for start in starts]


def test_the_processor_has_as_many_runs_as_there_are_slots() -> None:
    lineup = lineup_of("a", "b", "c")
    starts, note = starts_of(lineup, ())
    assert (numbers(starts), note) == ([(1, "")], "the processor is taken")
    starts, note = starts_of(lineup.model_copy(update={"slots": 3}), ())
    assert (numbers(starts), note) == ([(1, ""), (2, ""), (3, "")], "")
    running = replaced(lineup, lineup.entries[0].model_copy(update={"state": "running"}))
    assert numbers(starts_of(running, ())[0]) == []
    assert starts_of(lineup.model_copy(update={"paused": True}), ()) == ([], "paused")


def test_each_gpu_has_one_run_and_none_overtakes_another_that_waits_for_gpus() -> None:
    lineup = lineup_of("a", "b", "c")
    starts, note = starts_of(lineup, gpus(3, busy=(1,)))
    assert numbers(starts) == [(1, "0"), (2, "2")]
    assert note.startswith("waits for 1 free GPU: GPU 1 is used by process 77")
    lineup = added(added(lineup_of("big", gpus=2), entry("small", 1)), entry("cpu", 0))
    starts, note = starts_of(lineup, gpus(2, busy=(1,)))
    assert numbers(starts) == [(3, "")]
    assert "waits for 2 free GPUs: GPU 1 is used by process 77" in note
    assert claims.claimed(gpus(2)) == set(), "what is not used is given back"
    assert "this machine has 1" in starts_of(lineup, gpus(1))[1]


def test_a_gpu_of_another_run_of_the_user_is_not_given_away() -> None:
    held = claims.claim(gpus(1)[0])
    assert held is not None
    starts, note = starts_of(lineup_of("a"), gpus(2))
    assert (numbers(starts), note) == ([(1, "1")], "")
    starts, note = starts_of(lineup_of("a"), gpus(1))
    assert (starts, note) == ([], f"waits for 1 free GPU: GPU 0 is taken by process {os.getpid()}")
    held.close()


def test_a_queue_is_kept_on_disk_for_its_owner_alone_and_damage_is_reported() -> None:
    assert read_lineup() == Lineup()
    lineup = change_lineup(lambda lineup: added(lineup, entry("a")))
    assert read_lineup() == lineup
    path = queue_folder() / "queue.json"
    assert path.stat().st_mode & 0o077 == 0
    path.write_text('{"entries": 3}')
    with pytest.raises(RunError, match="is damaged"):
        read_lineup()


def test_what_is_added_keeps_its_folder_and_what_it_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUI_RUNS", "there")
    found = adding.add(("train", "--no-ui"), "mine", agreed=("abc",))
    assert found == entry_of(read_lineup(), 1, "waiting")
    assert (found.folder, found.variables) == (str(tmp_path), {"TUI_RUNS": "there", "TUI_AGREED_CODE": "abc"})
    assert adding.place_of(read_lineup(), found) == 1
    with pytest.raises(DeviceError, match="2 GPUs are needed, and this machine has 0"):
        adding.add(("train",), "more", gpus=2)
    assert adding.set_slots(3).slots == 3
    assert adding.pause().paused
    assert "paused: `tui queue resume`" in standing_of(read_lineup(), "process 1")
    assert not adding.resume().paused
    assert "nobody works on it" in standing_of(read_lineup(), "")
    with pytest.raises(InputError, match=r"waits\. Remove it"):
        adding.stop(1)
    assert adding.remove(1).entries == ()


def test_a_run_that_waits_has_its_folder_and_says_where_it_is(tmp_path: Path) -> None:
    config = TrainConfig()
    found = adding.add_run(WantedRun(config, tmp_path / "runs", tmp_path / "data", "mine"))
    (run,) = all_runs(tmp_path / "runs")
    assert found.words == (
        "train",
        "--no-ui",
        "--resume",
        str(run.path),
        "--data-root",
        str(tmp_path / "data"),
    )
    assert (found.title, found.run, console_of(found)) == ("mine", str(run.path), run.console_file)
    working = _Working(FileLock(os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)), gpus=())
    working._hold_runs(read_lineup())
    assert is_held(run)
    assert summarise(run).status == "preparing"
    working._hold_runs(adding.remove(found.id))
    assert not is_held(run)


class Child:
    """A process of an entry, which ends when it is told to."""

    def __init__(self) -> None:
        self.pid, self.returncode = 4242, None

    def poll(self) -> int | None:
        return self.returncode


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Child]]:
    """The entries that were started, with their processes."""
    found: list[tuple[int, Child]] = []

    def launch(start: Start, handles: list[int], run: int | None, gpus: object) -> Child:
        found.append((start.entry.id, Child()))
        return found[-1][1]

    monkeypatch.setattr(work, "_launch", launch)
    return found


def test_one_that_fails_does_not_stop_the_rest_and_nothing_stays_behind(
    launched: list[tuple[int, Child]],
) -> None:
    for title in "abc":
        adding.add(("train",), title)
    lock = hold_work()
    assert lock is not None
    assert worked_on_by()
    working = _Working(lock)
    for code in (1, 143, 0):
        assert working.step()
        assert len(read_lineup().of("running")) == 1
        launched[-1][1].returncode = code  # type: ignore[assignment]  # of a stand-in
    assert not working.step()
    assert [number for number, _ in launched] == [1, 2, 3]
    assert [one.state for one in read_lineup().entries] == ["failed", "stopped", "completed"]
    assert facts_of(read_lineup().entries[0]).startswith("failed with code 1, 0:00:0")
    assert not worked_on_by()


def test_a_disk_that_is_full_for_a_while_loses_nothing_and_starts_nothing_twice(
    launched: list[tuple[int, Child]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for title in "ab":
        adding.add(("train",), title)
    lock = hold_work()
    assert lock is not None
    working = _Working(lock)
    monkeypatch.setattr(work, "LOOK_SECONDS", 0.0)

    def full(path: Path, *given: object, **named: object) -> None:
        raise RunError("cannot write queue.json: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_atomically", full)
        assert work._goes_on(working)
        assert [one.state for one in read_lineup().entries] == ["waiting", "waiting"]
        assert [number for number, _ in launched] == [1]
        monkeypatch.setattr(unseen, "pid_of", lambda entry: 4242 if entry.id == 1 else 0)
    assert work._goes_on(working)
    assert [one.state for one in read_lineup().entries] == ["running", "waiting"]
    with monkeypatch.context() as patch:
        patch.setattr(store, "write_atomically", full)
        launched[0][1].returncode = 3  # type: ignore[assignment]  # of a stand-in
        assert work._goes_on(working)
    monkeypatch.setattr(unseen, "pid_of", lambda entry: 0)
    assert work._goes_on(working)
    assert [(one.state, one.code) for one in read_lineup().entries] == [("failed", 3), ("running", None)]
    assert [number for number, _ in launched] == [1, 2]
    assert "No space left" in capsys.readouterr().out
    lock.close()


def test_a_paused_queue_is_left_when_what_runs_has_ended(launched: list[tuple[int, Child]]) -> None:
    adding.add(("train",), "a")
    adding.add(("train",), "b")
    lock = hold_work()
    assert lock is not None
    working = _Working(lock)
    assert working.step()
    adding.pause()
    assert working.step()
    launched[0][1].returncode = 0  # type: ignore[assignment]  # of a stand-in
    assert not working.step()
    assert [one.state for one in read_lineup().entries] == ["completed", "waiting"]
    assert not worked_on_by()


def test_after_a_kill_what_runs_is_found_and_what_has_ended_is_not_started_again(
    launched: list[tuple[int, Child]], tmp_path: Path
) -> None:
    run = create_run(tmp_path / "runs", TrainConfig())
    for number, one in enumerate((entry("lives"), entry("ended"), entry("of a run"), entry("unnoted")), 1):
        change_lineup(lambda lineup, one=one: added(lineup, one))  # type: ignore[misc]  # the type of a lambda's default
        if number < 4:
            known = {"state": "running", "pid": 99, "run": str(run.path) if number == 3 else ""}
            change_lineup(
                lambda lineup, number=number, known=known: replaced(  # type: ignore[misc]  # the type of a lambda's default
                    lineup, entry_of(lineup, number).model_copy(update=known)
                )
            )
    locks = [hold_entry(1), hold_entry(4)]  # by processes that the one before has started
    for lock in locks:
        lock.name_holder(99)
    held = hold_work()
    assert held is not None
    change_lineup(with_those_that_run)
    assert _Working(held).step()
    states = [one.state for one in read_lineup().entries]
    assert states == ["running", "ended", "interrupted", "running"]
    assert "how is not known" in facts_of(read_lineup().entries[1])
    assert launched == []
    for lock in (*locks, held):
        lock.close()


def log(run: Run, ending: Ending | None, *, at: float = 1e9) -> None:
    """Give a run the log of one that has ended so, or that has not, and that began then."""
    with TemporaryDirectory() as folder:
        written = write_run(Path(folder), run.id, status=ending or "stopped", time=at).log_file.read_text()
    lines = written.splitlines(keepends=True)
    run.log_file.write_text("".join(lines if ending else lines[:-1]))


def test_how_an_entry_ended_that_nobody_has_seen_is_read_from_the_run_that_it_has_made(
    launched: list[tuple[int, Child]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endings: tuple[Ending | None, ...] = ("completed", "stopped", "failed", None)
    for ending in endings:
        number = adding.add(("train", "--no-ui"), str(ending)).id
        folder = queue_folder()
        with monkeypatch.context() as patch:
            patch.setenv(ANNOUNCED, str(folder / f"{number}.run"))
            made = create_run(tmp_path / "runs", TrainConfig())
        log(made, ending)
        made.lock_file.touch()
        change_lineup(
            lambda lineup, number=number: replaced(  # type: ignore[misc]  # the type of a lambda's default
                lineup, entry_of(lineup, number).model_copy(update={"state": "running", "pid": 99})
            )
        )
    lock = hold_work()
    assert lock is not None
    assert not _Working(lock).step()
    assert [one.state for one in read_lineup().entries] == ["completed", "stopped", "failed", "interrupted"]
    assert not [*queue_folder().glob("*.run")]


def test_a_run_that_another_process_trains_is_not_started_but_adopted(
    launched: list[tuple[int, Child]], tmp_path: Path
) -> None:
    runs = [create_run(tmp_path / "runs", TrainConfig()) for _ in range(3)]
    for run in runs:
        adding.add_run(WantedRun(TrainConfig(), tmp_path / "runs", None, run=run))
    log(runs[0], None)
    log(runs[2], "completed", at=time.time())
    lock = hold_work()
    assert lock is not None
    working = _Working(lock)
    with ExitStack() as trained, ExitStack() as read:
        trained.enter_context(hold(runs[0]))
        read.enter_context(hold(runs[1]))
        assert working.step()
        assert [one.state for one in read_lineup().entries] == ["running", "waiting", "waiting"]
        assert read_lineup().note.startswith(f"{runs[1].id} is used by another process")
        adding.stop(1)
        assert runs[0].requests_file.read_text() == "stop\n"
        log(runs[0], "stopped")
        trained.close()
        assert working.step()
        assert [one.state for one in read_lineup().entries] == ["stopped", "waiting", "completed"]
        read.close()
        assert working.step()
    assert [number for number, _ in launched] == [2]
    lock.close()


def test_a_run_that_was_complete_when_it_was_added_is_started(
    launched: list[tuple[int, Child]], tmp_path: Path
) -> None:
    """It may have been given more epochs; if not, its command says so."""
    run = create_run(tmp_path / "runs", TrainConfig())
    log(run, "completed", at=time.time() - 10)
    adding.add_run(WantedRun(run.config(), tmp_path / "runs", None, run=run))
    lock = hold_work()
    assert lock is not None
    assert _Working(lock).step()
    assert [one.state for one in read_lineup().entries] == ["running"]
    assert [number for number, _ in launched] == [1]
    lock.close()


def test_lines_show_order_output_and_standing() -> None:
    lineup = lineup_of("a", "b")
    lineup = replaced(lineup, lineup.entries[0].model_copy(update={"state": "failed", "code": 3}))
    lines = lines_of(lineup.model_copy(update={"note": "the processor is taken"}), "process 7")
    assert lines[0].split() == ["1.", "2", "b"]
    assert lines[1].split()[:4] == ["1", "failed", "with", "code"]
    assert lines[2].startswith("output of 1: ")
    console_of(lineup.entries[0]).parent.mkdir(parents=True)
    console_of(lineup.entries[0]).write_text("epoch 1\nerror: no such file\n")
    assert lines_of(lineup, "process 7")[2] == "1 ended with: error: no such file"
    assert lines[3] == "0 running, 1 waiting; the processor is taken; 1 run at once on the processor"
    assert "is empty" in lines_of(Lineup(), "")[0]


def until(is_so: Callable[[], object]) -> None:
    for _ in range(2400):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.mark.heavy
@pytest.mark.xdist_group("queue")
def test_a_queue_goes_on_without_its_terminal_and_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "start_working", work.start_working)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setenv("TUI_RUNS", str(tmp_path / "runs"))
    short = (
        "--data",
        "iris",
        "--model",
        "mlp",
        "--device",
        "cpu",
        "--threads",
        "1",
        "--set",
        "training.baselines=none",
    )
    adding.add(("train", "--no-ui", *short, "--epochs", "100000", "--name", "long"), "long")
    adding.add(("train", "--no-ui", *short, "--epochs", "1"), "last")

    def first() -> int:
        return int(worked_on_by().split()[1])

    until(lambda: read_lineup().of("running"))
    worker, (running,) = psutil.Process(first()), read_lineup().of("running")
    assert worker.terminal() is None
    assert os.getsid(worker.pid) == worker.pid
    worker.send_signal(signal.SIGHUP)
    until(lambda: any(summarise(run).epoch for run in all_runs(tmp_path / "runs")))
    worker.kill()
    until(lambda: not worked_on_by())
    assert psutil.pid_exists(running.pid)
    assert [one.title for one in read_lineup().of("waiting")] == ["last"]
    adding.resume()
    adding.stop(running.id)
    until(lambda: not read_lineup().of("running", "waiting"))
    until(lambda: not worked_on_by())
    assert [one.state for one in read_lineup().entries] == ["stopped", "completed"]
    statuses = sorted(str(summarise(run).status) for run in all_runs(tmp_path / "runs"))
    assert statuses == ["completed", "stopped"]
