"""Shared by all tests: quiet surroundings, a tiny copy of MNIST, and runs trained in a temporary folder."""

import functools
import gc
import itertools
import os
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.events import Event, RunFinished
from core.observers.settings import Extras
from core.session.preload import load_backend
from core.user_code import trust as user_code
from tests.support.fork_server import Command, ForkServer
from tests.support.made_once import made_once
from tests.support.own_data import write_own_data
from tests.support.vision_files import write_idx, write_vision_root

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.dataset import Dataset
    from core.runs.folder import Run


os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before torch is loaded: its threads would only wait for each other

FOREIGN = (
    *("TUI_RUNS", "TUI_DATA", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "TUI_AGREED_CODE"),
    *Extras.variables(),
)
"""Variables that are set or not where the tests run."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell does that to what it starts in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no process of a test could be interrupted


def pytest_collection_finish() -> None:
    """Collect garbage rarely, and leave torch and the collected tests alone: it took a fifth of the time."""
    load_backend()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def settings_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Paths in folders that are not there yet: most tests make none, and `tmp_path` takes a fifth of a short test."""
    folder = tmp_path_factory.mktemp("settings")
    return (str(folder / str(number) / "settings.json") for number in itertools.count())


@pytest.fixture(autouse=True)
def quiet_surroundings(monkeypatch: pytest.MonkeyPatch, settings_files: Iterator[str]) -> None:
    """Nothing of the machine's own settings reaches a test, and nothing of a test these settings."""
    for name in FOREIGN:
        monkeypatch.setenv(name, "")  # so that what a command sets is undone, too
        monkeypatch.delenv(name)
    monkeypatch.setattr(user_code, "_named", set())
    monkeypatch.setattr(user_code, "_agreed", set())
    monkeypatch.setenv("TUI_CONFIG", next(settings_files))


@pytest.fixture(autouse=True)
def own_hangup() -> Iterator[None]:
    """A command that ends leaves SIGHUP ignored, since its process ends; this one goes on."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    if signal.getsignal(signal.SIGHUP) is not before:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="session")
def idx_writer() -> Callable[[Path, np.ndarray], None]:
    """`write_idx`."""
    return write_idx


@pytest.fixture(scope="session")
def vision_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with 300 + 100 made-up images in the place of every image set."""
    return made_once(tmp_path_factory, "vision", write_vision_root)


@pytest.fixture(scope="session")
def own_data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The fields that name a small file, for each source of data that reads a person's own."""
    return write_own_data(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="session")
def load_data(vision_root: Path, own_data: dict[str, dict[str, Any]]) -> Callable[..., "Dataset"]:
    """Loads a data set by name; each one once."""

    @functools.cache
    def load_data(name: str, **fields: Any) -> "Dataset":
        from core.data.registry import load
        from core.user_code.trust import trust

        if name == "python":
            trust(Path(own_data[name]["path"].rpartition(":")[0]))
        given = {"name": name, **own_data.get(name, {}), **fields}
        return load(configuration.from_dict({"data": given}).data, vision_root)

    return load_data


@dataclass(frozen=True)
class Trained:
    """A run after one session of training."""

    run: "Run"
    events: list[Event]
    finished: RunFinished

    def told(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def checkpoint(self, kind: str = "last") -> dict[str, Any]:
        """Return a checkpoint of the run's folder."""
        from core.runs.checkpoints import load_checkpoint

        return load_checkpoint(self.run, kind)

    def weights(self, kind: str = "last") -> dict[str, "Tensor"]:
        """The state_dict of a checkpoint."""
        weights: dict[str, Tensor] = self.checkpoint(kind)["model"]
        return weights


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., "Run"]:
    """Writes the folder of a run that was never trained: its log, its configuration, its evaluations."""

    def write_run(
        name: str,
        losses: Sequence[float],
        *,
        values: dict[str, Any] | None = None,
        seconds: float = 2.0,
        accuracy: float | None = None,
        finished: bool = True,
    ) -> "Run":
        """A run of digits with these validation losses, of 10 steps an epoch.

        Args:
            seconds: of each epoch.
            accuracy: of its evaluation on validation, of 144 samples; None: it was not evaluated.
        """
        from core.evaluation import Predictions
        from core.events import EpochFinished, RunStarted, to_json
        from core.runs.folder import Run
        from core.tasks.evaluation import evaluate

        run = Run(tmp_path / "runs" / name)
        run.path.mkdir(parents=True)
        config = configuration.from_dict(
            configuration.merge({"training": {"epochs": max(1, len(losses))}}, values or {})
        )
        run.config_file.write_text(configuration.to_yaml(config))
        classes = [str(digit) for digit in range(10)]
        events: list[Event] = [
            RunStarted(
                time=1767322800.0,
                config=configuration.to_dict(config),
                task="multiclass",
                samples={"train": 1293, "validation": 144, "test": 360},
                classes=classes,
                sample_shape=[1, 8, 8],
                parameters=7510,
                device="cpu",
                threads=1,
                epochs=max(1, len(losses)),
                steps_per_epoch=10,
            )
        ]
        for epoch, loss in enumerate(losses, start=1):
            best = 1 + int(np.nanargmin(losses[:epoch]))
            events.append(
                EpochFinished(
                    time=1767322800.0 + seconds * epoch,
                    epoch=epoch,
                    step=10 * epoch,
                    train={"loss": loss / 2, "accuracy": 1 - loss / 4},
                    validation={"loss": loss, "accuracy": 1 - loss / 3},
                    lr=0.01,
                    seconds=seconds,
                    best_epoch=best,
                    best_metrics={"loss": losses[best - 1], "accuracy": 1 - losses[best - 1] / 3},
                    epochs=len(losses),
                )
            )
        if finished:
            events.append(RunFinished(status="completed", time=1767322800.0 + seconds * len(losses)))
        run.log_file.write_text("".join(to_json(event, run.id) + "\n" for event in events))
        if accuracy is not None:
            targets = np.arange(144) % 10
            answers = np.where(np.arange(144) < round(144 * accuracy), targets, (targets + 1) % 10)
            scores = np.full((144, 10), 0.02) + 0.8 * np.eye(10)[answers]
            predictions = Predictions(
                scores=scores, targets=targets, indices=np.arange(144), probabilities=True
            )
            folder = run.evaluation_folder("validation")
            folder.mkdir(parents=True)
            predictions.save(folder / "predictions.npz")
            evaluate(predictions, task="multiclass", class_names=classes, split="validation").save(
                folder / "report.json"
            )
        return run

    return write_run


Action = Callable[[RunControl, Any], None]


def config_of(values: dict[str, Any]) -> TrainConfig:
    """A configuration for tests: one thread of the processor, no simple models beside it."""
    fixed = {"training": {"device": "cpu", "threads": 1, "epochs": 3, "baselines": "none"}}
    return configuration.from_dict(configuration.merge(fixed, values))


@pytest.fixture
def train_run(tmp_path: Path, vision_root: Path) -> Callable[..., Trained]:
    """Trains a run, a new one or on with one, the way the command line does.

    `at_step=(k, action)` calls ``action(control, model)`` at the beginning of this session's step k.
    """

    def train_run(
        values: dict[str, Any] | None = None,
        *,
        run: "Run | None" = None,
        at_step: tuple[int, Action] | None = None,
        on_event: Callable[[Event, RunControl], None] = lambda event, control: None,
    ) -> Trained:
        from core.session import session

        control = RunControl()
        config = config_of(values or {}) if run is None else run.config()
        if run is not None and values:
            config = configuration.from_dict(configuration.merge(configuration.to_dict(config), values))
        state = session.resume_state(run, config) if run is not None else None
        prepared = session.prepare(config, vision_root, lambda what, done, total: None, run=run)
        if at_step is not None:
            _act_at_step(prepared.model, control, *at_step)
        events: list[Event] = []

        def emit(event: Event) -> None:
            events.append(event)
            on_event(event, control)

        run = run or session.new_run(prepared, tmp_path / "runs")
        finished = session.execute(prepared, run, emit=emit, control=control, state=state)
        return Trained(run, events, finished)

    return train_run


def _act_at_step(model: Any, control: RunControl, step: int, action: Action) -> None:
    steps = 0

    def count(module: Any, inputs: Any) -> None:
        nonlocal steps
        steps += module.training
        if module.training and steps == step:
            action(control, module)

    model.register_forward_pre_hook(count)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Starts ``tui`` in forks of a process that has imported PyTorch; begun when the first test wants one."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def command(tmp_path: Path, fork_server: ForkServer) -> Iterator[Callable[[str], Command]]:
    """Starts ``tui`` in a process of its own, in an empty folder; what still runs at the end is killed."""
    with ExitStack() as started:

        def command(line: str) -> Command:
            process = fork_server.run(shlex.split(line), tmp_path, os.environ)
            started.callback(process.close)
            return process

        yield command
