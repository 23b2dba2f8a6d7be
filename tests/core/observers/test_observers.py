"""Observers of a training: trackers read back by their own tools, notifications, the load of the machine."""

import json
import math
import shlex
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from core import RunWriter
from core.errors import DependencyError, InputError
from core.events import (
    EpochFinished,
    EvaluationFinished,
    Event,
    MediaLogged,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
    StepLogged,
    SystemSampled,
)
from core.interop.script_run import ScriptRun
from core.observers import machine_load, notify
from core.observers import settings as extras_module
from core.observers.hub import observing
from core.observers.notify import Notifier
from core.observers.settings import Extras, ensure_possible
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.history.outline import Outline
from core.runs.log import LogReader
from core.runs.media.kinds import Histogram, Image, Text
from core.runs.media.store import MediaStore
from core.runs.summary import summarise

DONE = RunFinished(status="completed")


def started(**changes: Any) -> RunStarted:
    values: dict[str, Any] = {
        "config": {"data": {"name": "iris"}, "optimizer": {"name": "sgd", "lr": 0.1}},
        "task": "multiclass",
        "samples": {"train": 10},
        "classes": ["a", "b"],
        "sample_shape": [4],
        "parameters": 10,
        "device": "cpu",
        "threads": 1,
        "epochs": 2,
        "steps_per_epoch": 5,
    }
    return RunStarted(**{**values, **changes})


def epoch(number: int, loss: float = 0.5) -> EpochFinished:
    return EpochFinished(
        epoch=number,
        step=5 * number,
        train={"loss": loss},
        validation={"loss": loss, "accuracy": 0.9},
        lr=0.1,
        seconds=1.0,
        best_epoch=number,
        best_metrics={"loss": loss, "accuracy": 0.9},
    )


def step(number: int, loss: float) -> StepLogged:
    return StepLogged(epoch=1, step=number, train={"loss": loss}, lr=0.1, samples_per_second=1.0)


STORY = [
    started(),
    step(3, 1.0),
    step(4, math.nan),
    SystemSampled(cpu=50.0, memory=25.0, process=1),
    epoch(1),
    EvaluationFinished(split="test", metrics={"accuracy": 0.75, "roc_auc_macro": None}),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "runs" / "2026-01-01_0900_iris-mlp_abc"
    path.mkdir(parents=True)
    return Run(path)


@pytest.fixture
def tell_all(run: Run) -> Callable[..., list[Event]]:
    """Tells a story to a run with company; what its log gets."""

    def tell_all(extras: Extras, story: list[Event], finished: RunFinished = DONE) -> list[Event]:
        told: list[Event] = []
        with observing(run, extras, told.append, "cpu") as company:
            for event in story:
                company.emit(event)
            company.end(finished)
        return told

    return tell_all


def notices(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


# -- trackers --------------------------------------------------------------------------------------------------


def test_tensorboard_reads_back_what_was_said(
    run: Run, tell_all: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.summary.writer import event_file_writer

    # Two files of one second are read in the order of a count that is not padded: "10" before "9".
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))

    extras = Extras(log=("tensorboard",), system=False)
    told = tell_all(extras, STORY)
    assert told == [*STORY, DONE]
    # It goes on from the checkpoint after the third step: what came later is done again.
    tell_all(extras, [started(epoch=0, step=4), step(4, 0.25), epoch(1, 0.125)])
    board = EventAccumulator(str(run.path / "tensorboard")).Reload()
    scalars = {
        tag: [(point.step, point.value) for point in board.Scalars(tag)] for tag in board.Tags()["scalars"]
    }
    assert scalars["train/loss"] == [(3, 1.0), (4, 0.25)]
    assert scalars["validation/loss"] == [(5, 0.125)]
    assert scalars["lr"][0] == (3, pytest.approx(0.1))
    assert "test/roc_auc_macro" not in scalars
    assert "config/text_summary" in board.Tags()["tensors"]


def test_tensorboard_shows_images_texts_and_histograms(
    run: Run, tell_all: Callable[..., list[Event]]
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logged: list[Event] = []
    media = MediaStore(run, logged.append, 10)
    for name, item in (
        ("made", Image([[0, 255]])),
        ("told", Text("so")),
        ("weights", Histogram([1, 1, 3.0], None, 2)),
    ):
        media.keep(name, item, step=7, epoch=1, done=1)
    gone = MediaLogged(kind="image", name="gone", step=7, epoch=1, done=1, file="000009-gone.png")
    tell_all(Extras(log=("tensorboard",), system=False), [STORY[0], *logged, gone])
    board = EventAccumulator(str(run.path / "tensorboard")).Reload()
    tags = board.Tags()
    assert (tags["images"], tags["histograms"]) == (["made"], ["weights"])
    assert "told/text_summary" in tags["tensors"]
    assert (board.Images("made")[0].step, board.Images("made")[0].width) == (7, 2)
    histogram = board.Histograms("weights")[0].histogram_value
    assert (histogram.bucket_limit, histogram.bucket) == ([2.0, 3.0], [2.0, 1.0])


def test_tensorboard_has_evaluation_and_load(run: Run, tell_all: Callable[..., list[Event]]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tell_all(Extras(log=("tensorboard",), system=False), STORY)
    board = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert board.Scalars("test/accuracy")[0].value == 0.75
    assert board.Scalars("system/cpu")[0].value == 50.0
    assert math.isnan(board.Scalars("train/loss")[1].value)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A local store of MLflow, in SQLite."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("core.observers.hub.LAST_SECONDS", 600.0)  # making the tables takes a while
    return uri


@pytest.mark.slow
def test_mlflow_reads_back_what_was_said(store: str, run: Run, tell_all: Callable[..., list[Event]]) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    extras = Extras(log=("mlflow",), system=False)
    assert notices(tell_all(extras, STORY, RunFinished(status="stopped"))) == []
    assert notices(tell_all(extras, [started(epoch=1, step=5), step(6, 0.25), epoch(2, 0.125)])) == []
    client = mlflow.MlflowClient(store)
    place = client.get_experiment_by_name("torchtui").experiment_id
    (only,) = client.search_runs([place])
    assert only.info.run_name == run.id
    assert only.info.status == "FINISHED"
    assert only.data.params == {"data.name": "iris", "optimizer.name": "sgd", "optimizer.lr": "0.1"}
    losses = client.get_metric_history(only.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in losses] == [(3, 1.0), (6, 0.25)]
    assert only.data.metrics["test/accuracy"] == 0.75
    assert only.data.metrics["validation/loss"] == 0.125
    assert only.data.metrics["system/cpu"] == 50.0


def test_a_tracker_that_fails_is_a_notice(
    monkeypatch: pytest.MonkeyPatch, tell_all: Callable[..., list[Event]]
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from core.observers.tensorboard import TensorBoard

    def fail(self: TensorBoard, event: Event) -> None:
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(TensorBoard, "take", fail)
    told = tell_all(Extras(log=("tensorboard",), system=False), STORY)
    assert notices(told) == ["tensorboard failed: the server is gone; the run continues without it"]
    assert told[-1] == DONE
    assert [event for event in told if event in STORY] == STORY


def test_a_tracker_that_is_not_there_is_told_before_a_run_begins(
    monkeypatch: pytest.MonkeyPatch, tell_all: Callable[..., list[Event]]
) -> None:
    monkeypatch.setattr(extras_module, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r'pip install "torchtui\[mlflow\]"'):
        ensure_possible(Extras(log=("mlflow",)))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    told = tell_all(Extras(log=("tensorboard",), system=False), STORY)
    assert told[0] == STORY[0]
    assert "tensorboard is not installed" in notices(told)[0]


def test_extras_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Extras.from_environment() == Extras()
    for name, value in {"LOG": "tensorboard,mlflow", "NOTIFY": "true", "SYSTEM": "0"}.items():
        monkeypatch.setenv(f"TUI_{name}", value)
    assert Extras.from_environment({"stall_minutes": 3}) == Extras(
        log=("tensorboard", "mlflow"), notify="true", stall_minutes=3, system=False
    )
    monkeypatch.setenv("TUI_LOG", "wandb")
    with pytest.raises(InputError, match="TUI_LOG: got 'wandb'"):
        Extras.from_environment()
    with pytest.raises(InputError, match="--stall-minutes: got '-1'"):
        Extras.from_environment({"stall_minutes": -1, "log": ()})


# -- notifications ---------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Any]:
    """Somebody who is told; `answers` are the statuses it gives."""

    class Server(HTTPServer):
        got: list[dict[str, Any]] = []
        authorization: list[str | None] = []
        status = 200

    class Handler(BaseHTTPRequestHandler):
        server: Server

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self.server.got.append(json.loads(self.rfile.read(length)))
            self.server.authorization.append(self.headers["Authorization"])
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *words: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    server.got, server.authorization = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def at(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}/hook"


@pytest.mark.parametrize("status", ["completed", "failed", "diverged", "stopped"])
def test_a_url_is_told_how_it_ended(
    server: Any, run: Run, tell_all: Callable[..., list[Event]], status: Any
) -> None:
    error = "out of cheese" if status == "failed" else ""
    told = tell_all(Extras(notify=at(server), system=False), STORY, RunFinished(status=status, error=error))
    assert notices(told) == []
    (got,) = server.got
    assert (got["event"], got["run"], got["error"]) == (status, run.id, error)
    assert (got["epoch"], got["epochs"], got["path"]) == (1, 2, str(run.path))
    assert got["metrics"] == {"loss": 0.5, "accuracy": 0.9}
    assert got["evaluation"]["test"]["accuracy"] == 0.75
    assert got["text"] == f"iris-mlp_abc {status}: {error or 'loss 0.5, accuracy 0.9'}"


def test_a_command_finds_the_facts_in_its_environment(
    tmp_path: Path, run: Run, tell_all: Callable[..., list[Event]]
) -> None:
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(' '.join(os.environ[k] for k in "
        "('TUI_EVENT', 'TUI_RUN', 'TUI_EPOCH', 'TUI_METRICS')))"
    )
    told = tmp_path / "told; touch x"
    command = shlex.join([sys.executable, "-c", code, str(told)])
    assert notices(tell_all(Extras(notify=command, system=False), STORY)) == []
    assert told.read_text() == f'completed {run.id} 1 {{"loss": 0.5, "accuracy": 0.9}}'


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://127.0.0.1:9/secret", "refused"),
        ("http://127.0.0.1:9/a secret", "the address cannot be read"),
        (f"{shlex.quote(sys.executable)} -c 'import sys; sys.exit(3)'", "the command exited with code 3"),
    ],
)
def test_a_notification_that_fails_is_a_notice(
    tell_all: Callable[..., list[Event]], target: str, reason: str
) -> None:
    told = tell_all(Extras(notify=target, system=False), STORY)
    (message,) = notices(told)
    assert message.startswith("the notification 'completed' was not delivered")
    assert reason in message
    assert "secret" not in message
    assert told[-1] == DONE


def test_a_server_that_refuses_is_a_notice(server: Any, tell_all: Callable[..., list[Event]]) -> None:
    server.status = 500
    assert "500" in notices(tell_all(Extras(notify=at(server), system=False), STORY))[0]


@pytest.mark.parametrize(
    ("user", "sent"), [("me:p%40ss@", "me:p@ss"), ("t0k3n@", "t0k3n:"), ("me:a:b@", "me:a:b"), ("", None)]
)
def test_user_and_password_of_an_address_are_sent(
    server: Any, tell_all: Callable[..., list[Event]], user: str, sent: str | None
) -> None:
    target = at(server).replace("http://", f"http://{user}")
    assert notices(tell_all(Extras(notify=target, system=False), STORY)) == []
    assert len(server.got) == 1
    wanted = None if sent is None else f"Basic {b64encode(sent.encode()).decode()}"
    assert server.authorization == [wanted]


def test_an_answer_in_drops_is_not_waited_for(
    tell_all: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes come again and again, each well in time; the answer never ends."""
    monkeypatch.setattr(notify, "POST_SECONDS", 0.3)
    given_up = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not given_up.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        try:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}/secret"
            (message,) = notices(tell_all(Extras(notify=address, system=False), STORY))
        finally:
            given_up.set()
            thread.join()
    assert message.endswith("no answer within 0.3 s")


def test_an_address_is_not_repeated_in_errors() -> None:
    for target in ("http://user:s3cret", "http://user:s3cret@host:x", "http://[s3cret"):
        with pytest.raises(InputError, match="notify: cannot read the address") as caught:
            notify.check_target(target)
        assert "s3cret" not in str(caught.value)


def test_a_stall_is_told_once_each_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now, told, said = [0.0], list[Event](), list[str]()
    monkeypatch.setattr("core.observers.notify.time.monotonic", lambda: now[0])
    monkeypatch.setattr(notify, "_post", lambda url, facts: said.append(facts["event"]))
    notifier = Notifier(run, "https://example.org", 10, told.append)

    def pass_minutes(minutes: float) -> None:
        now[0] += 60 * minutes
        notifier.wait()
        notifier.take(SystemSampled(cpu=0.0, memory=0.0, process=0))

    notifier.take(started())
    pass_minutes(9)
    assert said == []
    pass_minutes(2)
    pass_minutes(60)
    assert (said, notices(told)) == (["stalled"], ["no step for 10 minutes"])
    notifier.take(step(1, 0.5))
    notifier.take(RunPaused(epoch=1, step=1))
    pass_minutes(60)
    assert said == ["stalled"]
    notifier.take(RunResumed(epoch=1, step=1))
    pass_minutes(11)
    notifier.take(DONE)
    assert said == ["stalled", "stalled", "completed"]


@pytest.mark.parametrize(
    "target", ["no-such-command-anywhere", "'unclosed", "   ", "http://a:port/", "https://"]
)
def test_what_cannot_be_notified_is_refused_before_a_run_begins(target: str) -> None:
    with pytest.raises(InputError, match="notify"):
        ensure_possible(Extras(notify=target))


# -- the load of the machine -----------------------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_load, "SECONDS", 0.002)


def test_the_load_is_recorded_with_a_run(
    often: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = threading.Event()
    with RunWriter("load", runs_dir=tmp_path) as writer:
        assert isinstance(writer._kept, ScriptRun)
        tell = writer._kept._recorder.emit

        def see(event: Event) -> None:
            tell(event)
            if isinstance(event, SystemSampled):
                sampled.set()

        monkeypatch.setattr(writer._kept._observers, "_log", see)
        assert sampled.wait(600)
        writer.epoch({"loss": 1.0})
    events = LogReader(writer.run.log_file).read()
    samples = [event for event in events if isinstance(event, SystemSampled)]
    assert all(0 <= sample.cpu <= 100 and 0 < sample.memory < 100 for sample in samples)
    assert samples[0].process > 1 << 20
    assert samples[0].gpu is None
    assert isinstance(events[-1], RunFinished)
    history, outline = History(), Outline(writer.run)
    for event in events:
        history.apply(event)
    outline.read()
    assert len(history.system["cpu"]) == len(samples)
    assert outline.history.system == {}
    assert summarise(writer.run).status == "completed"


def test_nothing_is_sampled_when_it_is_not_wanted(often: None, tell_all: Callable[..., list[Event]]) -> None:
    threads: list[str] = []

    class Watching(list[Event]):
        def __iter__(self) -> Iterator[Event]:
            threads.extend(thread.name for thread in threading.enumerate())
            return super().__iter__()

    tell_all(Extras(system=False), Watching(STORY))
    assert "system" not in threads


def test_the_gpu_that_trains_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    asked: list[str] = []

    def utilization(device: str) -> int:
        asked.append(device)
        return 80

    monkeypatch.setattr(torch.cuda, "utilization", utilization)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (25, 100))
    gpu = machine_load._Gpu("cuda:1", lambda event: None)
    assert (gpu.use(), gpu.memory(), asked) == (80.0, 75.0, ["cuda:1"])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("pynvml"), 'pip install "torchtui[gpu]"'),
        (RuntimeError("Not Supported"), "Not Supported"),
    ],
)
def test_a_gpu_that_does_not_say_is_told_once(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    import torch

    def fail(device: str) -> int:
        raise error

    told: list[Event] = []
    monkeypatch.setattr(torch.cuda, "utilization", fail)
    gpu = machine_load._Gpu("cuda:0", told.append)
    assert (gpu.use(), gpu.use()) == (None, None)
    assert notices(told) == [f"GPU usage is not recorded: {reason}"]


@pytest.mark.slow
def test_a_training_has_company(train_run: Callable[..., Any], tmp_path: Path) -> None:
    """The product's own engine, from its session: what fails beside it changes neither its end nor its numbers."""
    from core.config import schema as configuration
    from core.control import RunControl
    from core.session import session

    config = configuration.from_dict(
        {"data": "iris", "training": {"device": "cpu", "threads": 1, "epochs": 2}}
    )
    prepared = session.prepare(config, None, lambda what, done, total: None)
    trained = session.new_run(prepared, tmp_path / "accompanied")
    events: list[Event] = []
    finished = session.execute(
        prepared,
        trained,
        emit=events.append,
        control=RunControl(),
        extras=Extras(notify="http://127.0.0.1:9/"),
    )
    assert finished.status == "completed"
    assert events[-1] == finished
    assert "was not delivered" in notices(LogReader(trained.log_file).read())[-1]
    alone = train_run({"data": "iris", "training": {"epochs": 2}})
    assert [event.metrics for event in alone.told(EvaluationFinished)] == [
        event.metrics for event in events if isinstance(event, EvaluationFinished)
    ]
