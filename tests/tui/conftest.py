"""Evaluate on a screen: runs trained once for all tests, made-up evaluations, and an app that visits them."""

import shutil
from functools import partialmethod

import numpy as np
import pytest
from textual import _wait
from textual.pilot import Pilot
from textual.widgets import Static

from core.config import schema as configuration
from core.config.schema import to_yaml
from core.control import RunControl
from core.evaluation import Predictions, evaluate
from core.runs.folder import Run, find_run
from tests.support.made_once import made_once
from tui.app.app import TuiApp
from tui.screens.evaluate.screen import EvaluateScreen

NORMAL = (120, 40)

# After each key and pause Textual's pilot waits until this process has been idle for so long; a quarter will do.
_wait.SLEEP_GRANULARITY /= 4
_wait.SLEEP_IDLE /= 4
# On a busy machine widgets take longer than the half minute that it gives them.
Pilot._wait_for_screen = partialmethod(Pilot._wait_for_screen, timeout=600.0)


def train(folder, values):
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
    "cancer": {"data": "breast_cancer"},
    "diabetes": {"data": "diabetes"},
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Runs by name, each trained once."""

    def train_all(folder):
        for name, values in TRAINED.items():
            train(folder / name, values)

    folder = made_once(tmp_path_factory, "trained", train_all)
    return {name: find_run(folder / name, "latest") for name in TRAINED}


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def train_here(runs_dir):
    """Trains a run in the folder the app looks into."""
    return lambda values: train(runs_dir, values)


@pytest.fixture
def copy_of(trained, runs_dir):
    """A copy of a trained run, in the folder the app looks into."""

    def copy_of(name):
        path = runs_dir / trained[name].id
        shutil.copytree(trained[name].path, path)
        return Run(path)

    return copy_of


@pytest.fixture
def made_up(runs_dir):
    """A run that was evaluated on made-up scores of classes with given names; the data are those of digits."""

    def made_up(names, samples=400, sharpness=2.0, split="test"):
        random = np.random.default_rng(0)
        targets = np.arange(samples) % len(names)
        margins = random.normal(size=(samples, len(names)))
        margins[np.arange(samples), targets] += sharpness
        scores = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
        predictions = Predictions(scores, targets, np.arange(samples), True)
        run = Run(runs_dir / "2026-01-01_0900_digits-mlp_abc")
        run.evaluation_folder(split).mkdir(parents=True)
        run.config_file.write_text(to_yaml(configuration.from_dict({})))
        task = "binary" if len(names) == 2 else "multiclass"
        report = evaluate(predictions, task=task, class_names=names, split=split, intervals=False)
        predictions.save(run.evaluation_folder(split) / "predictions.npz")
        report.save(run.evaluation_folder(split) / "report.json")
        return run

    return made_up


class Visit:
    """An app that shows Evaluate."""

    def __init__(self, pilot):
        self.pilot, self.app = pilot, pilot.app

    async def settle(self):
        """Until nothing is computed any more and everything computed is drawn."""
        for _ in range(4):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    async def go(self):
        self.app.switch_mode("evaluate")
        await self.settle()

    async def open(self, run, tab="", split=""):
        self.app.switch_mode("evaluate")
        self.screen.open_run(run, split)
        await self.settle()
        if tab:
            self.screen.tabs.active = f"tab-{tab}"
            await self.settle()

    async def press(self, *keys):
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    @property
    def screen(self) -> EvaluateScreen:
        assert isinstance(self.app.screen, EvaluateScreen)
        return self.app.screen

    @property
    def predictions(self):
        return self.screen.opened.subject.predictions

    def one(self, selector, kind=None):
        """A widget of the tab that is seen, or of the dialog over it."""
        root = self.app.screen
        if isinstance(root, EvaluateScreen):
            root = root.active_tab
        return root.query_one(selector, kind) if kind else root.query_one(selector)

    def text(self, widget):
        return "\n".join(strip.text for strip in widget.render_lines(widget.size.region))

    def seen(self):
        """What the whole screen shows."""
        return "\n".join(
            "".join(segment.text for segment in line) for line in self.app.screen._compositor.render_strips()
        )

    def plain(self, selector):
        return self.app.screen.query_one(selector, Static).content.plain


@pytest.fixture
def visit(runs_dir, monkeypatch):
    """Opens the app in a size, without a first screen."""
    monkeypatch.setattr(TuiApp, "_load", lambda app: None)

    class Opening:
        def __init__(self, size):
            self.app = TuiApp(runs_dir=runs_dir)
            self.running = self.app.run_test(size=size)

        async def __aenter__(self):
            return Visit(await self.running.__aenter__())

        async def __aexit__(self, *error):
            await self.running.__aexit__(*error)

    return lambda size=NORMAL: Opening(size)


@pytest.fixture(autouse=True)
def lasting_notifications(monkeypatch):
    """Notifications stay until a test has read them, however busy the machine is."""
    monkeypatch.setattr(TuiApp, "NOTIFICATION_TIMEOUT", 3600)
