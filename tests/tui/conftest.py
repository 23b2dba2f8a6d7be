"""Evaluate on a screen: runs trained once for all tests, made-up evaluations, and an app that visits them."""

import shutil
from collections.abc import Callable, Sequence
from functools import partialmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar, overload

import numpy as np
import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from core.config import schema as configuration
from core.config.schema import to_yaml
from core.control import RunControl
from core.evaluation import Predictions
from core.runs.folder import Run, find_run
from core.tasks.evaluation import evaluate
from tests.support.made_once import made_once
from tui.app.app import TuiApp
from tui.screens.evaluate.screen import EvaluateScreen
from tui.screens.evaluate.tab import Subject

NORMAL = (120, 40)

# On a busy machine widgets take longer than the half minute that it gives them.
patient = partialmethod(Pilot._wait_for_screen, timeout=600.0)
Pilot._wait_for_screen = patient  # type: ignore[method-assign, assignment]  # replaced for all tests

W = TypeVar("W", bound=Widget)
TrainHere = Callable[[dict[str, Any]], Run]
CopyOf = Callable[[str], Run]


class MadeUp(Protocol):
    """See the fixture `made_up`."""

    def __call__(
        self, names: Sequence[str], samples: int = 400, sharpness: float = 2.0, split: str = "validation"
    ) -> Run: ...


class Visits(Protocol):
    """See the fixture `visit`."""

    def __call__(self, size: tuple[int, int] = NORMAL) -> "Opening": ...


def train(folder: Path, values: dict[str, Any]) -> Run:
    from core.session import session  # torch takes seconds to load, and most tests here do without

    fixed = {"training": {"device": "cpu", "threads": 1, "epochs": 3}}
    config = configuration.from_dict(configuration.merge(fixed, values))
    prepared = session.prepare(config, None, lambda what, done, total: None)
    run = session.new_run(prepared, folder)
    session.execute(prepared, run, emit=lambda event: None, control=RunControl())
    return run


TRAINED = {
    "digits": {"data": "digits"},
    "margins": {"data": "digits", "loss": "hinge"},
    "cancer": {"data": "breast_cancer", "model": "mlp"},
    "diabetes": {"data": "diabetes", "model": "mlp"},
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Runs by name, each trained once."""

    def train_all(folder: Path) -> None:
        for name, values in TRAINED.items():
            train(folder / name, values)

    folder = made_once(tmp_path_factory, "trained", train_all)
    return {name: find_run(folder / name, "latest") for name in TRAINED}


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def train_here(runs_dir: Path) -> TrainHere:
    """Trains a run in the folder the app looks into."""
    return lambda values: train(runs_dir, values)


@pytest.fixture
def copy_of(trained: dict[str, Run], runs_dir: Path) -> CopyOf:
    """A copy of a trained run, in the folder the app looks into."""

    def copy_of(name: str) -> Run:
        path = runs_dir / trained[name].id
        shutil.copytree(trained[name].path, path)
        return Run(path)

    return copy_of


@pytest.fixture
def made_up(runs_dir: Path) -> MadeUp:
    """A run that was evaluated on made-up scores of classes with given names; the data are those of digits."""

    def made_up(
        names: Sequence[str], samples: int = 400, sharpness: float = 2.0, split: str = "validation"
    ) -> Run:
        random = np.random.default_rng(0)
        targets = np.arange(samples) % len(names)
        margins = random.normal(size=(samples, len(names)))
        margins[np.arange(samples), targets] += sharpness
        scores = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
        predictions = Predictions(scores, targets, np.arange(samples), True)
        run = Run(runs_dir / "2026-01-01_0900_digits-mlp_abc")
        run.evaluation_folder(split).mkdir(parents=True)
        run.config_file.write_text(to_yaml(configuration.from_dict({})))
        task: str = "binary" if len(names) == 2 else "multiclass"
        report = evaluate(predictions, task=task, class_names=names, split=split, intervals=False)
        predictions.save(run.evaluation_folder(split) / "predictions.npz")
        report.save(run.evaluation_folder(split) / "report.json")
        return run

    return made_up


class Visit:
    """An app that shows Evaluate."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot, self.app = pilot, pilot.app

    async def settle(self) -> None:
        """Until nothing is computed any more and everything computed is drawn."""
        for _ in range(4):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    async def go(self) -> None:
        self.app.switch_mode("evaluate")
        await self.settle()

    async def open(self, run: Run, tab: str = "", split: str = "") -> None:
        self.app.switch_mode("evaluate")
        self.screen.open_run(run, split)
        await self.settle()
        if tab:
            self.screen.tabs.active = f"tab-{tab}"
            await self.settle()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    @property
    def screen(self) -> EvaluateScreen:
        assert isinstance(self.app.screen, EvaluateScreen)
        return self.app.screen

    @property
    def subject(self) -> Subject:
        """Return the subject of the evaluation."""
        assert self.screen.opened is not None
        return self.screen.opened.subject

    @property
    def predictions(self) -> Predictions:
        return self.subject.predictions

    @overload
    def one(self, selector: str) -> Widget: ...
    @overload
    def one(self, selector: type[W]) -> W: ...
    @overload
    def one(self, selector: str, kind: type[W]) -> W: ...
    def one(self, selector: str | type[Widget], kind: type[Widget] = Widget) -> Widget:
        """A widget of the tab that is seen, or of the dialog over it."""
        screen = self.app.screen
        root = screen.active_tab if isinstance(screen, EvaluateScreen) else screen
        return root.query_one(selector, kind) if isinstance(selector, str) else root.query_one(selector)

    def text(self, widget: Widget) -> str:
        return "\n".join(strip.text for strip in widget.render_lines(widget.size.region))

    def seen(self) -> str:
        """Return the text of the whole screen."""
        return "\n".join(
            "".join(segment.text for segment in line) for line in self.app.screen._compositor.render_strips()
        )

    def plain(self, selector: str) -> str:
        content = self.app.screen.query_one(selector, Static).content
        assert isinstance(content, Content)
        return content.plain


class Opening:
    """The app while it is open."""

    def __init__(self, runs_dir: Path, size: tuple[int, int]) -> None:
        self.app = TuiApp(runs_dir=runs_dir)
        self.running = self.app.run_test(size=size)

    async def __aenter__(self) -> Visit:
        return Visit(await self.running.__aenter__())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.running.__aexit__(kind, error, trace)


@pytest.fixture
def visit(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Visits:
    """Opens the app in a size, without a first screen."""

    def load(app: TuiApp) -> None:
        app.call_from_thread(app.read_styles)
        app.call_later(app.release_input)

    monkeypatch.setattr(TuiApp, "_load", load)
    return lambda size=NORMAL: Opening(runs_dir, size)


@pytest.fixture(autouse=True)
def lasting_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notifications stay until a test has read them, however busy the machine is."""
    monkeypatch.setattr(TuiApp, "NOTIFICATION_TIMEOUT", 3600)
