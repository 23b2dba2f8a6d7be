"""The contract of every method and pruner, on a trainer that is a formula: many studies in little time."""

import math
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from sqlalchemy import Engine, event

from core.config import schema as configuration
from core.control import Request, RunControl
from core.errors import RunDamaged, RunError, StorageNotGiven
from core.tuning.executors.protocol import Ended, Message, Outcome, Reported, TrialTask
from core.tuning.search.plan import PAUSING, Method, Plan, Pruner, make_plan
from core.tuning.study.claims import Claim, Claims
from core.tuning.study.presence import SILENT_SECONDS, Presence
from core.tuning.study.records import (
    StudyEvent,
    StudyFinished,
    StudyNotice,
    StudyPaused,
    StudyResumed,
    TrialFinished,
    TrialReported,
    TrialStarted,
)
from core.tuning.study.storage import without_credentials
from core.tuning.study.study import TuningStudy, create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.narrow import some

pytestmark = pytest.mark.slow

PRUNERS = get_args(Pruner)
COMBINED = [
    *((method, "none") for method in get_args(Method)),
    *(("random", pruner) for pruner in PRUNERS[1:]),
    *(("bayes", "hyperband"), ("grid", "asha")),
]
STARTUP_TRIALS = 10
"""Trials that the Bayesian methods draw at random."""
EPOCHS = 9
BASE = configuration.from_dict({"data": "iris", "model": "mlp", "training": {"epochs": EPOCHS}})
RANGES = {"optimizer.lr": {"low": 1e-4, "high": 1.0, "log": True}, "model.hidden": [[8], [16]]}
GRID = {
    "optimizer.name": ["momentum", "adam"],
    "optimizer.momentum": [0.5, 0.9],
    "optimizer.lr": {"low": 1e-3, "high": 0.1, "log": True, "step": 10},
}
GRID_SIZE = 2 * 3 + 3


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes die in these tests, never the machine: nothing needs to be written through to the disk."""

    def lazily(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    monkeypatch.setattr(os, "fsync", lambda handle: None)
    event.listen(Engine, "connect", lazily)
    yield
    event.remove(Engine, "connect", lazily)


@pytest.fixture
def on_connect() -> Iterator[Callable[[str], None]]:
    """Says something to every database that is opened from now on."""
    said: list[Callable[..., None]] = []

    def on_connect(sentence: str) -> None:
        said.append(lambda connection, record: connection.execute(sentence))
        event.listen(Engine, "connect", said[-1])

    yield on_connect
    for sentence in said:
        event.remove(Engine, "connect", sentence)


def loss(lr: float, epoch: int) -> float:
    """Best at a learning rate of 0.01, and better with every epoch."""
    return abs(math.log10(lr) + 2) + 1 / epoch


@dataclass
class Formula:
    """An executor that computes the loss instead of training.

    Attributes:
        trained: how many epochs each trial was trained, over all of its attempts. saved: up to its last checkpoint.
        ends: what some trials end with at once.
        asked: what the study asked of all trials last. waits: how often it waited for trials that are paused.
    """

    slots: int = 1
    threads: int = 1
    trained: Counter[int] = field(default_factory=Counter)
    saved: Counter[int] = field(default_factory=Counter)
    ends: dict[int, Outcome] = field(default_factory=dict)
    asked: Request = "resume"
    waits: int = 0

    def __post_init__(self) -> None:
        self._going: dict[int, Iterator[Message]] = {}
        self._answers: dict[int, bool] = {}

    def start(self, task: TrialTask) -> None:
        assert len(self._going) < self.slots
        assert (task.run / "config.yaml").is_file()
        self._going[task.trial] = self._train(task)
        self._answers[task.trial] = True
        self.asked = "resume"

    def wait(self, seconds: float) -> list[Message]:
        if self.asked == "pause":
            self.waits += 1
            return []
        messages = [next(trial) for trial in self._going.values()]
        for message in messages:
            if isinstance(message, Ended):
                del self._going[message.trial]
        return messages

    def answer(self, trial: int, go_on: bool) -> None:
        self._answers[trial] = go_on

    def ask(self, request: Request) -> None:
        self.asked = request

    def close(self) -> None: ...

    def _train(self, task: TrialTask) -> Iterator[Message]:
        if task.trial in self.ends:
            yield Ended(task.trial, self.ends[task.trial])
        value = math.inf
        for epoch in range(self.saved[task.trial] + 1, EPOCHS + 1):
            if self.asked == "stop" or not self._answers[task.trial]:
                self.saved[task.trial] = epoch - 1
                state: Literal["stopped", "pruned"] = "stopped" if self.asked == "stop" else "pruned"
                yield Ended(task.trial, Outcome(state, value, epoch - 1))
            self.trained[task.trial] += 1
            value = loss(task.config["optimizer"]["lr"], epoch)
            yield Reported(task.trial, epoch, value)
        yield Ended(task.trial, Outcome("completed", value, EPOCHS))


def plan_for(method: str, pruner: str = "none", trials: int | None = 6, seed: int = 0, **facts: Any) -> Plan:
    base = BASE.model_copy(update={"training": BASE.training.model_copy(update={"seed": seed})})
    options: dict[str, Any] = {"method": method, "pruner": pruner, "trials": trials, **facts}
    return make_plan(base, GRID if method == "grid" else RANGES, **options)


def work(
    study: TuningStudy,
    executor: Formula | None = None,
    on_event: Callable[[StudyEvent, RunControl], None] = lambda told, control: None,
) -> tuple[StudyFinished, list[StudyEvent]]:
    """One process at work on a study."""
    events: list[StudyEvent] = []
    control = RunControl()

    def emit(event: StudyEvent) -> None:
        events.append(event)
        on_event(event, control)

    return tune(study, executor or Formula(), emit=emit, control=control), events


def tried(finished: StudyFinished) -> list[tuple[Any, ...]]:
    """Return what is comparable between studies: all but folders and times."""
    return [
        (record.number, record.state, tuple(map(str, record.params.items())), record.value, record.epochs)
        for record in finished.records
    ]


@pytest.mark.parametrize(("method", "pruner"), COMBINED)
def test_number_of_trials_and_determinism(method: str, pruner: str, tmp_path: Path) -> None:
    count = {"grid": 6, "random": 8}.get(method, STARTUP_TRIALS + 1)
    plan = plan_for(method, pruner, count)
    finished, events = work(create_study(tmp_path / "a", plan))
    assert finished.status == "completed"
    assert [record.number for record in finished.records] == list(range(count))
    assert {record.state for record in finished.records} <= {"completed", "paused", "pruned"}
    completed = [record for record in finished.records if record.state == "completed"]
    assert finished.best == min(completed, key=lambda record: record.value or 0)
    ended = [event.trial for event in events if isinstance(event, TrialFinished)]
    assert {trial.number for trial in ended} == set(range(count))
    assert len(ended) == count or pruner in PAUSING
    again, _ = work(create_study(tmp_path / "b", plan))
    assert tried(again) == tried(finished)


def test_another_seed_tries_something_else(tmp_path: Path) -> None:
    one, other = (work(create_study(tmp_path, plan_for("random", seed=seed)))[0] for seed in (0, 1))
    assert not {row[2] for row in tried(one)} & {row[2] for row in tried(other)}


def test_a_grid_tries_every_combination_once(tmp_path: Path) -> None:
    finished, _ = work(create_study(tmp_path, plan_for("grid", trials=None)))
    points = [tuple(record.params.items()) for record in finished.records]
    assert len(set(points)) == len(points) == GRID_SIZE
    part, _ = work(create_study(tmp_path, plan_for("grid", trials=4)))
    assert len(part.records) == 4


@pytest.mark.parametrize("pruner", PRUNERS[1:])
def test_pruning_saves_epochs_and_keeps_the_best(pruner: str, tmp_path: Path) -> None:
    executor = Formula()
    finished, _ = work(create_study(tmp_path, plan_for("random", pruner, trials=16)), executor)
    assert executor.trained.total() < 0.8 * 16 * EPOCHS
    best = min(finished.records, key=lambda record: loss(record.params["optimizer.lr"], EPOCHS))
    assert finished.best == best
    shortened = [record for record in finished.records if record.state != "completed"]
    assert all(record.epochs == executor.trained[record.number] < EPOCHS for record in shortened)
    hows = ("pruned",) if pruner == "median" else ("paused", "given up")
    assert all(
        record.reason in [f"{how} after epoch {record.epochs}" for how in hows] for record in shortened
    )
    assert finished.epochs_spent == executor.trained.total() == 16 * EPOCHS - finished.epochs_saved


def test_how_many_at_once_does_not_change_what_random_search_tries(tmp_path: Path) -> None:
    one, _ = work(create_study(tmp_path, plan_for("random")))
    three, _ = work(create_study(tmp_path, plan_for("random")), Formula(slots=3))
    assert tried(one) == tried(three)


def test_failing_and_diverging_trials_are_recorded_and_the_study_goes_on(tmp_path: Path) -> None:
    ends = {
        1: Outcome("failed", reason="out of memory"),
        2: Outcome("diverged", 3.0, 1, "the loss became NaN"),
    }
    finished, _ = work(create_study(tmp_path, plan_for("bayes")), Formula(ends=ends))
    assert finished.status == "completed"
    states = [record.state for record in finished.records]
    assert states == ["completed", "failed", "diverged", *["completed"] * 3]
    assert [finished.records[number].reason for number in (1, 2)] == ["out of memory", "the loss became NaN"]


def test_a_study_all_of_whose_trials_fail_in_the_same_way_stops_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tuning.study.tuner.SAME_FAILURES", 4)
    ends = {number: Outcome("failed", reason=f"no such device: {number}") for number in range(6)}
    study = create_study(tmp_path, plan_for("random"))
    finished, events = work(study, Formula(ends=ends))
    assert (finished.status, len(finished.records), finished.best) == ("failed", 4, None)
    assert finished.error == "all 4 trials failed in the same way: no such device: 3"
    notices = [event for event in events if isinstance(event, StudyNotice)]
    assert [(notice.level, notice.message) for notice in notices] == [("error", finished.error)]
    repaired, _ = work(open_study(tmp_path, study.name))
    assert (repaired.status, len(repaired.records)) == ("completed", 6)


def test_a_study_ends_when_patience_or_epochs_are_used_up_and_can_be_extended(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_for("random", trials=None, max_epochs=2 * EPOCHS))
    finished, events = work(study)
    assert (finished.epochs_spent, len(finished.records)) == (2 * EPOCHS, 2)
    notices = [event.message for event in events if isinstance(event, StudyNotice)]
    assert notices == ["18 epochs were trained, of 18 at most: no more trials start"]
    more, events = work(study.with_limits(patience=2, max_epochs=99 * EPOCHS))
    assert 4 <= len(more.records) < 30
    (notice,) = [event.message for event in events if isinstance(event, StudyNotice)]
    assert notice.startswith("the last 2 trials did not improve loss")
    best = min(record.value or 0 for record in more.records)
    assert best not in [record.value for record in more.records[-2:]]


@pytest.mark.parametrize("pruner", ["none", "asha"])
def test_a_stopped_study_goes_on_without_losing_or_repeating_a_trial(pruner: str, tmp_path: Path) -> None:
    def stop_in_trial_3(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialStarted) and event.trial.number == 3:
            control.stop()

    study = create_study(tmp_path, plan_for("random", pruner))
    stopped, _ = work(study, on_event=stop_in_trial_3)
    assert stopped.status == "stopped"
    assert [record.state for record in stopped.records][3:] == ["interrupted"]
    finished, events = work(open_study(tmp_path, "latest"))
    begun = [event.trial for event in events if isinstance(event, TrialStarted)]
    assert [trial.number for trial in begun if not trial.promoted] == list(range(3, 6))
    assert (begun[0].params, begun[0].run) == (stopped.records[3].params, stopped.records[3].run)
    whole, _ = work(create_study(tmp_path, plan_for("random", pruner)))
    assert [row[2] for row in tried(finished)] == [row[2] for row in tried(whole)]
    if pruner == "none":  # who is promoted depends on who has come first
        assert [row[:2] for row in tried(finished)] == [row[:2] for row in tried(whole)]


def test_a_paused_study_waits_and_ends_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paused by another process in the middle of two trials, and let go on after a while."""
    monkeypatch.setattr("core.tuning.study.tuner.LOOK_SECONDS", -1.0)
    study = create_study(tmp_path, plan_for("random", "median"))
    other = open_study(tmp_path, study.name)
    executor = Formula(slots=2)
    wait, trained = executor.wait, []

    def wait_and_end_the_pause(seconds: float) -> list[Message]:
        if executor.asked == "pause":
            trained.append(executor.trained.total())
            if executor.waits == 3:
                other.go_on()
        return wait(seconds)

    def pause_in_trial_2(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported) and (event.number, event.epoch) == (2, 4):
            other.pause()

    monkeypatch.setattr(executor, "wait", wait_and_end_the_pause)
    finished, events = work(study, executor, pause_in_trial_2)
    assert (executor.waits >= 4, len(set(trained))) == (True, 1)
    kinds = [type(event) for event in events]
    paused, resumed = kinds.index(StudyPaused), kinds.index(StudyResumed)
    assert resumed == paused + 1
    whole, _ = work(create_study(tmp_path, plan_for("random", "median")), Formula(slots=2))
    assert tried(finished) == tried(whole)


def test_a_paused_study_can_be_stopped_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tuning.study.tuner.LOOK_SECONDS", -1.0)
    study = create_study(tmp_path, plan_for("random"))

    def pause_then_stop(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported):
            study.pause()
        elif isinstance(event, StudyPaused):
            control.stop()

    stopped, _ = work(study, on_event=pause_then_stop)
    assert (stopped.status, [record.state for record in stopped.records]) == ("stopped", ["interrupted"])
    assert open_study(tmp_path, study.name).paused
    study.go_on()
    assert work(study)[0].status == "completed"


def test_a_study_is_stopped_by_another_process_but_not_whoever_begins_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tuning.study.tuner.LOOK_SECONDS", -1.0)
    study = create_study(tmp_path, plan_for("random"))

    def stop_in_trial_3(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported) and event.number == 3:
            open_study(tmp_path, study.name).stop()

    stopped, _ = work(study, on_event=stop_in_trial_3)
    assert stopped.status == "stopped"
    assert {record.state for record in stopped.records[3:]} == {"interrupted"}
    assert work(study)[0].status == "completed"


def test_more_trials_can_be_added(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_for("random", trials=2))
    work(study)
    open_study(tmp_path, study.name).with_trials(5)
    finished, events = work(open_study(tmp_path, study.name))
    assert len(finished.records) == 5
    assert [event.trial.number for event in events if isinstance(event, TrialFinished)] == [2, 3, 4]


def test_a_study_kept_elsewhere_is_found_by_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its URL is given again; the folder knows where, and no password."""
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    study = create_study(tmp_path / "runs", plan_for("random"), url)
    assert not study.folder.database.exists()
    for reference in ("latest", str(study.folder.path)):
        with pytest.raises(StorageNotGiven, match="It is not opened without being asked for") as refused:
            open_study(tmp_path / "runs", reference)
        again = open_study(tmp_path / "runs", reference, refused.value.url)
        assert (again.name, again.plan, again.folder) == (study.name, study.plan, study.folder)
    monkeypatch.chdir(tmp_path)
    assert open_study(Path("runs elsewhere"), str(study.folder.path), url).folder == study.folder
    assert not Path("runs elsewhere").exists()
    study.folder.storage_file.unlink()
    with pytest.raises(RunError, match="is not stored in its folder"):
        open_study(tmp_path / "runs", "latest")
    told = "postgresql://token:secret@host:5432/db?x=1&password=secret&sslpassword=s&user=u&api_key=k"
    assert without_credentials(told) == "postgresql://host:5432/db?x=1"


def test_a_study_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, on_connect: Callable[[str], None]
) -> None:
    with pytest.raises(RunError, match="cannot open the study's storage nonsense://x"):
        create_study(tmp_path, plan_for("random"), "nonsense://x")
    on_connect("PRAGMA max_page_count=3")
    with pytest.raises(RunError, match="database or disk is full"):
        create_study(tmp_path, plan_for("random"))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_ends_a_study_in_a_line(tmp_path: Path, on_connect: Callable[[str], None]) -> None:
    study = create_study(tmp_path, plan_for("random", trials=200))
    on_connect("PRAGMA max_page_count=1")  # SQLite takes the number there is
    with pytest.raises(RunError) as told:
        work(open_study(tmp_path, study.name))
    assert told.value.message == f"cannot write to {study.name}: database or disk is full"


def test_a_folder_that_takes_no_changes_is_told(tmp_path: Path, on_connect: Callable[[str], None]) -> None:
    study = create_study(tmp_path, plan_for("random"))
    on_connect("PRAGMA query_only=ON")
    readable = open_study(tmp_path, study.name)
    assert (readable.paused, readable.records(), readable.plan_now()) == (False, [], study.plan)
    for change in (readable.pause, readable.go_on, readable.stop, lambda: readable.with_trials(9)):
        with pytest.raises(RunError, match=f"cannot write to {study.name}: attempt to write a readonly"):
            change()


def test_a_study_that_was_damaged_is_told(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_for("random"))
    study.optuna.set_user_attr("plan", {"method": "random"})
    with pytest.raises(RunDamaged, match=f"{study.name} cannot be read"):
        open_study(tmp_path, study.name)
    study.folder.database.write_bytes(b"no database" * 1000)
    with pytest.raises(RunDamaged, match=f"{study.name} cannot be read"):
        study.records()


def test_two_processes_on_one_study_share_its_grid(tmp_path: Path) -> None:
    """As fast as they can, each with its own connection to the storage."""
    study = create_study(tmp_path, plan_for("grid", trials=None))
    context = multiprocessing.get_context("fork")
    trained = context.SimpleQueue()

    def process() -> None:
        executor = Formula(slots=2)
        work(open_study(tmp_path, study.name), executor)
        trained.put(executor.trained)

    both = [context.Process(target=process) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert trained.get() + trained.get() == dict.fromkeys(range(GRID_SIZE), EPOCHS)
    assert [record.state for record in study.records()] == ["completed"] * GRID_SIZE


@pytest.fixture
def two(tmp_path: Path) -> tuple[Claims, Claims, Presence]:
    """Two processes at a grid of two trials, and the first one's presence."""
    study = create_study(tmp_path, plan_for("grid", trials=2))
    opened = [open_study(tmp_path, study.name) for _ in range(2)]
    presences = [Presence(study.folder, one.optuna) for one in opened]
    first, second = (Claims(one, here) for one, here in zip(opened, presences, strict=True))
    return first, second, presences[0]


def test_of_two_processes_that_see_the_same_free_trial_one_gets_it(
    two: tuple[Claims, Claims, Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = two
    look = first._free
    quicker: list[Claim | None] = []

    def look_and_be_overtaken() -> Any:
        found = look()
        monkeypatch.setattr(first, "_free", look)
        quicker.append(second.next())
        return found

    monkeypatch.setattr(first, "_free", look_and_be_overtaken)
    slower = first.next()
    assert slower is not None
    assert [some(quicker[0]).number, slower.number] == [0, 1]
    assert first.next() is second.next() is None
    assert first.elsewhere() == second.elsewhere() == 1


def test_the_trial_of_a_process_that_was_killed_is_run_again(two: tuple[Claims, Claims, Presence]) -> None:
    first, second, presence = two
    lost = first.next()
    assert lost is not None
    lost.trained_in("/runs/trials/x")
    presence.close()  # all that is left of a killed process: its lock is free
    again = second.next()
    assert again is not None
    assert (again.number, again.params, again.run) == (0, lost.params, "/runs/trials/x")


def test_a_result_that_was_written_down_before_the_kill_counts(two: tuple[Claims, Claims, Presence]) -> None:
    first, second, presence = two
    lost = first.next()
    assert lost is not None
    result = {"state": "completed", "value": 0.5, "epochs": 3, "seconds": 1.0, "reason": "", "curve": [0.5]}
    lost.attempt.set_user_attr("result", result)
    presence.close()
    following = second.next()
    assert following is not None
    assert following.number == 1


def test_a_process_on_a_machine_without_our_disk_is_gone_when_its_counter_stands_still(
    tmp_path: Path,
) -> None:
    study = create_study(tmp_path / "here", plan_for("random"))
    elsewhere = create_study(tmp_path / "there", plan_for("random")).folder
    now = [0.0]
    far = Presence(elsewhere, study.optuna, clock=lambda: now[0])
    near = Presence(study.folder, study.optuna, clock=lambda: now[0])
    assert not near.is_gone(far.name)
    now[0] = SILENT_SECONDS - 1
    far.beat()
    assert not near.is_gone(far.name)
    now[0] += SILENT_SECONDS - 1
    assert not near.is_gone(far.name)
    now[0] += 2
    assert near.is_gone(far.name)
    assert not far.is_gone(far.name)
