"""Run folders: named, found, and listed even when they are damaged."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import TrainConfig, from_dict
from core.errors import ConfigError, RunError
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepLogged,
)
from core.runs.catalogue import Catalogue
from core.runs.creating import create_run, name_of, write_config
from core.runs.folder import Run, all_runs, default_runs_dir, find_run
from core.runs.lock import hold
from core.runs.log import EventLog
from core.runs.origin.environment import environment, without_secrets, write_environment
from core.runs.script import imported_dir
from core.runs.summary import MAX_BYTES, TAIL_BYTES, summarise
from tests.support.killed import die, in_a_killed_process


def started(**changes: Any) -> RunStarted:
    values: dict[str, Any] = {
        "config": {"data": {"name": "iris"}, "model": {"name": "mlp"}},
        "task": "multiclass",
        "samples": {"train": 108},
        "classes": ["a", "b", "c"],
        "sample_shape": [4],
        "parameters": 803,
        "device": "cpu",
        "threads": 1,
        "epochs": 20,
        "steps_per_epoch": 2,
        "time": 100.0,
    }
    return RunStarted(**{**values, **changes})


def epoch(number: int, **changes: Any) -> EpochFinished:
    values: dict[str, Any] = {
        "epoch": number,
        "step": 2 * number,
        "train": {"loss": 0.5},
        "validation": {"loss": 0.4},
        "lr": 0.1,
        "seconds": 0.1,
        "best_epoch": number,
        "best_metrics": {"loss": 0.4},
        "time": 100.0 + number,
    }
    return EpochFinished(**{**values, **changes})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "runs", TrainConfig())


@pytest.fixture
def log(run: Run) -> Callable[..., None]:
    def write(*events: Event) -> None:
        log = EventLog(run)
        for event in events:
            log.write(event)
        log.close()

    return write


# -- folders ---------------------------------------------------------------------------------------------------


def test_a_run_is_named_by_date_data_and_model(tmp_path: Path) -> None:
    config = from_dict({"data": "iris", "model": "linear"})
    run = create_run(tmp_path / "deep" / "runs", config)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{4}_iris-linear_[2-9a-z]{3}", run.id)
    assert run.config() == config
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "run.lock"]
    assert [path.name for path in run.path.parent.iterdir()] == [run.id]


def test_a_name_that_is_taken_is_not_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = iter("aaaaaabbb")
    monkeypatch.setattr("core.runs.creating.secrets.choice", lambda alphabet: next(letters))
    monkeypatch.setattr("core.runs.creating.time.strftime", lambda form: "2026-11-23_1200")
    first, second = create_run(tmp_path, TrainConfig()), create_run(tmp_path, TrainConfig())
    assert (first.id[-3:], second.id[-3:]) == ("aaa", "bbb")


def test_a_new_run_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Whoever looks while it is made sees nothing; killed right after that, it is a run that can be resumed."""
    seen: list[list[Run]] = []
    run = create_run(tmp_path, TrainConfig(), also=lambda hidden: seen.append(all_runs(tmp_path)))
    assert (seen, all_runs(tmp_path)) == ([[]], [run])
    assert summarise(run).status == "interrupted"
    assert "it can be resumed" in summarise(run).error
    assert find_run(tmp_path, str(run.path)) == run


def test_what_a_process_left_that_was_killed_while_it_made_a_run_is_removed(tmp_path: Path) -> None:
    def fail(run: Run) -> None:
        raise RunError("no")

    in_a_killed_process(lambda: create_run(tmp_path, TrainConfig(), also=die))
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".new-")
    assert all_runs(tmp_path) == []
    with pytest.raises(RunError):
        create_run(tmp_path, TrainConfig(), also=fail)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "runs", Path("/proc/nothing/runs")):
        with pytest.raises(RunError, match=re.escape(f"cannot write {place}")) as caught:
            create_run(place, TrainConfig())
        assert "another folder for the runs" in str(caught.value)


def test_where_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_runs_dir() == Path("runs")
    monkeypatch.setenv("TUI_RUNS", "~/elsewhere")
    assert default_runs_dir() == Path.home() / "elsewhere"


def test_the_environment_is_noted(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    write_environment(run)
    noted = json.loads(run.environment_file.read_text())
    assert noted == environment()
    assert noted["packages"]["torch"]
    assert noted["folder"] == str(tmp_path)
    assert noted["git_commit"] is None
    monkeypatch.setenv("PATH", "")
    assert environment()["git_commit"] is None


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("postgresql://me:hush@host:5432/studies", "postgresql://***@host:5432/studies"),
        ("--storage=postgresql://me:hu/sh@@host/studies", "--storage=postgresql://***@host/studies"),
        (
            "postgresql://host/studies?password=hush&sslmode=on",
            "postgresql://host/studies?password=***&sslmode=on",
        ),
        ("postgresql://t0k3n@host:5432/studies", "postgresql://***@host:5432/studies"),
        ("postgresql://h/d?sslpassword=a&x=1&api_key=b", "postgresql://h/d?sslpassword=***&x=1&api_key=***"),
        ("https://host/users/@me?page=1#a@b", "https://host/users/@me?page=1#a@b"),
        ("loss=mse", "loss=mse"),
    ],
)
def test_secrets_are_not_noted(word: str, kept: str) -> None:
    assert without_secrets(["tui", "--storage", word]) == ["tui", "--storage", kept]


# -- finding ---------------------------------------------------------------------------------------------------

IDS = ["2026-11-22_0915_digits-mlp_k3f", "2026-11-22_1015_digits-cnn_aaa", "2026-11-23_0000_iris-mlp_k3g"]


@pytest.fixture
def runs_dir(tmp_path: Path) -> Path:
    for age, name in enumerate(IDS):
        run = Run(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        write_config(run, TrainConfig())
        os.utime(run.config_file, (1000 + age, 1000 + age))
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (IDS[0], 0),
        ("2026-11-22_09", 0),
        ("2026-11-23", 2),
        ("k3f", 0),
        ("aaa", 1),
        ("latest", 2),
        ("digits-cnn", 1),
    ],
)
def test_a_run_is_found(runs_dir: Path, reference: str, found: int) -> None:
    assert find_run(runs_dir, reference).id == IDS[found]


def test_a_trial_is_found_where_no_run_is_meant(runs_dir: Path) -> None:
    trials = runs_dir / "study_2026-11-22_0000_digits-mlp_zzz" / "trials"
    for name in ("2026-11-22_0001_digits-mlp_t1t", "2026-11-22_0002_digits-mlp_k3f"):
        (trials / name).mkdir(parents=True)
        write_config(Run(trials / name), TrainConfig())
    assert find_run(runs_dir, "t1t").path.parent == trials
    assert find_run(runs_dir, "k3f").id == IDS[0]
    with pytest.raises(RunError, match="there is no runs/nothing"):
        find_run(runs_dir, "runs/nothing")


def test_a_whole_name_is_no_prefix_of_another(runs_dir: Path) -> None:
    (runs_dir / f"{IDS[0]}2").mkdir()
    assert find_run(runs_dir, IDS[0]).id == IDS[0]


def test_a_path_is_a_run(runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (f"runs/{IDS[1]}", f"./runs/{IDS[1]}/", str(runs_dir / IDS[1])):
        assert find_run(Path("nowhere"), path) == Run(runs_dir / IDS[1])
    with pytest.raises(RunError, match="is not a run folder"):
        find_run(runs_dir, str(runs_dir))


def test_latest_is_the_one_begun_last(runs_dir: Path) -> None:
    os.utime(runs_dir / IDS[0] / "config.yaml", (5000, 5000))
    assert find_run(runs_dir, "latest").id == IDS[0]
    (runs_dir / IDS[0] / "config.yaml").unlink()
    assert find_run(runs_dir, "latest").id == IDS[2]


def test_what_means_several_runs_is_refused(runs_dir: Path) -> None:
    with pytest.raises(
        RunError, match=rf"'2026-11-22' is ambiguous: it matches 2 runs \({IDS[1]}, {IDS[0]}\)"
    ):
        find_run(runs_dir, "2026-11-22")


def test_what_is_not_there_is_refused(runs_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run 'mnist'"):
        find_run(runs_dir, "mnist")
    with pytest.raises(RunError, match="there are no runs in"):
        find_run(tmp_path / "empty", "latest")


def test_runs_are_listed_newest_first_and_nothing_else_is(runs_dir: Path) -> None:
    (runs_dir / "notes").mkdir()
    (runs_dir / "readme.txt").write_text("")
    (runs_dir / "2026-11-24_0000_link").symlink_to(runs_dir / IDS[0])
    (runs_dir / "2026-11-20_0000_empty").mkdir()
    (runs_dir / "renamed").mkdir()
    (runs_dir / "renamed" / "events.jsonl").write_text("")
    names = [run.id for run in all_runs(runs_dir)]
    assert names == ["renamed", *sorted(IDS, reverse=True), "2026-11-20_0000_empty"]
    assert all_runs(runs_dir / "missing") == all_runs(runs_dir / "readme.txt") == []


def test_settings_may_be_in_a_relative_folder(
    runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUI_CONFIG", "settings/settings.json")
    copy = imported_dir(runs_dir) / "copy"
    copy.mkdir(parents=True)
    (copy / "events.jsonl").write_text("")
    assert [run.path.samefile(copy) for run in all_runs(runs_dir)] == [False] * len(IDS) + [True]
    assert [*Catalogue(runs_dir).changes()][-1]["copy"] is not None


def test_a_damaged_configuration_names_its_file(runs_dir: Path) -> None:
    run = Run(runs_dir / IDS[0])
    run.config_file.write_text("data: [")
    with pytest.raises(ConfigError, match=r"config\.yaml is not YAML"):
        run.config()


# -- how a run stands ------------------------------------------------------------------------------------------


def test_a_completed_run(run: Run, log: Callable[..., None]) -> None:
    log(
        started(),
        epoch(1),
        epoch(2, best_metrics={"loss": 0.3, "r2": float("nan")}),
        CheckpointSaved(kind="last", epoch=2, step=4),
        EvaluationFinished(split="validation", metrics={"accuracy": 0.8}),
        EvaluationFinished(split="test", metrics={"accuracy": 0.9, "roc_auc_macro": None}),
        RunFinished(status="completed", time=103.0),
    )
    summary = summarise(run)
    assert (summary.status, summary.error) == ("completed", "")
    assert (summary.data, summary.model) == ("iris", "mlp")
    assert (summary.epoch, summary.epochs, summary.best_epoch) == (2, 20, 2)
    assert summary.metrics == {"loss": 0.3}
    assert summary.evaluation == {
        "validation": {"accuracy": 0.8},
        "test": {"accuracy": 0.9, "roc_auc_macro": None},
    }
    assert (summary.started, summary.updated) == (100.0, 103.0)


@pytest.mark.parametrize("status", ["stopped", "diverged", "failed"])
def test_other_endings(run: Run, log: Callable[..., None], status: Any) -> None:
    log(started(), epoch(1), RunFinished(status=status, error="why"))
    assert (summarise(run).status, summarise(run).error) == (status, "why")


def test_a_run_that_goes_on_has_not_ended(run: Run, log: Callable[..., None]) -> None:
    log(started(), epoch(1), EvaluationFinished(split="test", metrics={}), RunFinished(status="completed"))
    log(started(epoch=1, step=2, epochs=40))
    summary = summarise(run)
    assert (summary.status, summary.epochs, summary.evaluation) == ("interrupted", 40, {})


def test_a_log_without_an_end_is_interrupted(run: Run, log: Callable[..., None]) -> None:
    log(started(), epoch(1))
    assert summarise(run).status == "interrupted"
    assert summarise(run).error.endswith("it can be resumed")


def test_a_run_that_is_held_and_has_said_nothing_yet_is_prepared(run: Run) -> None:
    with hold(run):
        assert (summarise(run).status, summarise(run).error) == ("preparing", "")
    assert (summarise(run).status, summarise(run).error) == (
        "interrupted",
        "its process ended before it trained; it can be resumed",
    )
    run.checkpoint_file("last").parent.mkdir(exist_ok=True)
    run.checkpoint_file("last").touch()
    assert summarise(run).status == "damaged", "its log is lost"


def test_a_run_that_was_killed_before_its_first_event_is_interrupted(run: Run) -> None:
    run.log_file.touch()
    with hold(run):
        assert summarise(run).status == "preparing"
    assert (summarise(run).status, summarise(run).error) == (
        "interrupted",
        "its process ended before it trained; it can be resumed",
    )
    run.checkpoint_file("last").parent.mkdir(exist_ok=True)
    run.checkpoint_file("last").touch()
    assert summarise(run).status == "damaged", "its log is lost"


def test_a_run_that_ended_and_is_held_again_is_prepared(run: Run, log: Callable[..., None]) -> None:
    log(started(), epoch(1), RunFinished(status="stopped", time=5000.0))
    with hold(run):
        os.utime(run.lock_file, (4000, 4000))  # by the process that has just ended it
        assert summarise(run).status == "stopped"
        os.utime(run.lock_file, (6000, 6000))  # by another one since
        assert summarise(run).status == "preparing"
        assert summarise(run, as_left=True).status == "stopped"  # that one wants to know
    assert summarise(run).status == "stopped"


@pytest.mark.slow
def test_the_last_epoch_is_found_wherever_a_read_begins(run: Run, log: Callable[..., None]) -> None:
    """Only the end of a log is read, which may begin in the middle of the line that matters."""
    log(started(), epoch(1))
    whole = run.log_file.read_bytes()
    line = whole.index(b'{"v": 1, "event": "epoch_finished"')
    for begin in range(line - 3, len(whole) + 3):
        run.log_file.write_bytes(whole + b"\n" * (begin + TAIL_BYTES - len(whole)))
        summary = summarise(run)
        assert (summary.status, summary.epoch, summary.epochs) == ("interrupted", 1, 20)


@pytest.mark.parametrize(
    "torn",
    [b'{"v": 1, "event": "epoch_fini', b'{"v": 1, "event": "epoch_finished", "epo', b"\x00"],
)
def test_a_torn_last_line_is_tolerated(run: Run, log: Callable[..., None], torn: bytes) -> None:
    log(started(), epoch(1), *[StepLogged(epoch=2, step=3, train={}, lr=0.1, samples_per_second=1.0)] * 100)
    with run.log_file.open("ab") as file:
        file.write(torn)
    assert (summarise(run).status, summarise(run).epoch) == ("interrupted", 1)


@pytest.mark.slow
def test_garbage_at_the_end_of_a_log_does_not_hide_how_the_run_ended(
    run: Run, log: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    log(started(), epoch(1), RunFinished(status="completed", time=103.0))
    before = summarise(run)
    os.truncate(
        run.log_file, run.log_file.stat().st_size + 150_000_000
    )  # zeros, which take no place on the disk
    read: list[int] = []

    def pread(handle: int, count: int, offset: int) -> bytes:
        found = real(handle, count, offset)
        read.append(len(found))
        return found

    real = os.pread
    monkeypatch.setattr("core.runs.summary.os.pread", pread)
    assert summarise(run) == before
    assert before.status == "completed"
    assert sum(read) < 3 * MAX_BYTES, "however long it is"


@pytest.mark.parametrize("garbage", [b"\xff\n", b"\n", b'"event"\n', b'{"event": "epoch_finished"', b"\x00"])
@pytest.mark.parametrize("epochs", [1, 200])
def test_garbage_of_any_kind_does_not_hide_the_end(
    run: Run, log: Callable[..., None], monkeypatch: pytest.MonkeyPatch, garbage: bytes, epochs: int
) -> None:
    monkeypatch.setattr("core.runs.summary.MAX_BYTES", TAIL_BYTES)
    monkeypatch.setattr("core.runs.summary.PROBE_BYTES", 2000)
    log(started(), *map(epoch, range(1, epochs + 1)), RunFinished(status="stopped", time=103.0))
    before = summarise(run)
    with run.log_file.open("ab") as file:
        file.write(garbage * 60_000)
    assert summarise(run) == before
    log(started(epoch=epochs, epochs=400))
    assert summarise(run).status == "interrupted", "what comes behind it counts"
    assert summarise(run).epochs == 400


@pytest.mark.parametrize("name", ["step_logged", "system_sampled", "event"])
def test_a_metric_may_be_called_like_an_event(run: Run, log: Callable[..., None], name: str) -> None:
    log(
        started(), epoch(1, validation={name: 0.5}, best_metrics={name: 0.5}), RunFinished(status="completed")
    )
    assert (summarise(run).epoch, summarise(run).metrics) == (1, {name: 0.5})


def test_steps_of_any_other_writer_are_no_news(run: Run, log: Callable[..., None]) -> None:
    log(started(), epoch(1, time=101.0))
    with run.log_file.open("ab") as file:
        file.write(b'{"time": 900.0, "config": {"event": "epoch_finished"}, "event" : "step_logged"}\n' * 3)
    assert (summarise(run).epoch, summarise(run).updated) == (1, 101.0)


def test_a_clock_that_was_set_back_does_not_keep_a_run_paused(run: Run, log: Callable[..., None]) -> None:
    log(started(), RunPaused(epoch=1, step=2, time=5000.0))
    with hold(run):
        assert summarise(run).status == "paused"
        log(RunResumed(epoch=1, step=2, time=1000.0))
        assert summarise(run).status == "running"
        log(RunPaused(epoch=1, step=3, time=1001.0), started(epoch=1, step=3, time=900.0))
        assert summarise(run).status == "running", "it was killed in its pause, and goes on"


@pytest.mark.parametrize(
    "content",
    [
        b"\n\n",
        b"not json\n",
        b"\xff" * 9000,
        b"[" * 50_000,
        b'{"event": "run_started", "config": 7}\n',
        b'{"event": "run_started", "config": {"data": "iris"}}\n',
        b'{"event": "run_started", "time": "noon"}\n',
        b'{"event": "run_started"}\n{"event": "evaluation_finished"}\n',
        b'{"event": "run_started"}\n{"event": "evaluation_finished", "split": [], "metrics": {}}\n',
        b'{"event": "run_started"}\n{"event": "epoch_finished", "epoch": "three"}\n',
        b'{"event": "run_started"}\n{"event": "epoch_finished", "best_metrics": [1]}\n',
        b'{"event": "run_started"}\n{"event": "epoch_finished", "best_metrics": {"loss": "low"}}\n',
        b'{"event": "run_started"}\n{"event": "run_finished", "status": "splendid"}\n',
        b'{"event": "epoch_finished", "epoch": 3}\n',
    ],
)
def test_a_damaged_log_is_said_to_be_damaged(run: Run, content: bytes) -> None:
    run.log_file.write_bytes(content)
    summary = summarise(run)
    assert summary.status == "damaged"
    assert "events.jsonl" in summary.error
    assert (summary.data, summary.model, summary.metrics) == ("", "", {})


def test_a_folder_without_a_log_is_damaged(run: Run) -> None:
    run.checkpoint_file("last").parent.mkdir()
    run.checkpoint_file("last").touch()
    assert (summarise(run).status, summarise(run).error) == (
        "damaged",
        "events.jsonl: No such file or directory",
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/Flowers 2024.csv", "Flowers_2024-tabular"),
        ("/data/../x;rm -rf $HOME.csv", "x_rm_-rf_HOME-tabular"),
        (".csv", "csv-tabular"),
        ("", "csv-tabular"),
        ("ü" * 60 + ".csv", "ü" * 40 + "-tabular"),
    ],
)
def test_runs_of_a_file_are_named_after_it(path: str, name: str) -> None:
    assert name_of(from_dict({"data": {"name": "csv", "path": path}})) == name
