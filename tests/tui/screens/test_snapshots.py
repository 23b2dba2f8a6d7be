"""Pictures of the screens at three sizes, of a run whose every number is made up and stays the same.

After a wanted change of looks: ``pytest tests/tui/screens/test_snapshots.py --snapshot-update``, and look at them.
"""

import json
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.devices import Device
from core.evaluation import Predictions
from core.events import (
    CheckpointSaved,
    EpochFinished,
    EvaluationFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StepLogged,
    to_json,
)
from core.files.lock import FileLock
from core.runs.folder import Run
from core.tasks.evaluation import evaluate
from tests.support.narrow import instance
from tests.support.slurm_answers import stand_in
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.runtime.hosts.profiles import save_profile
from tui.runtime.hosts.slurm import Slurm
from tui.runtime.queue import Waiting
from tui.runtime.settings import settings_file
from tui.runtime.user_queue.entries import Entry, Lineup, added
from tui.runtime.user_queue.store import change_lineup, hold_work
from tui.screens.base import MODES, ModeScreen
from tui.screens.configure.screen import ConfigureScreen
from tui.screens.queue_dialog import QueueDialog

SIZES = [(80, 24), (120, 40), (200, 60)]
BEGAN = 1767322800.0
EPOCHS, STEPS = 30, 20


OTHERS: dict[str, tuple[dict[str, Any], float, float]] = {
    "2026-01-02_0310_digits-mlp_def": ({"optimizer": {"lr": 0.1}}, 3.0, 3.0),
    "2026-01-02_0320_digits-mlp_ghk": ({"optimizer": "adam", "model": {"hidden": [64, 32]}}, 4.0, 3.9),
    "2026-01-02_0330_digits-cnn_mnp": ({"optimizer": "rmsprop", "model": "cnn"}, 7.0, 4.5),
}
"""More runs to compare: what is set, how slowly the loss falls, and how good they become."""


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One finished run of digits, on a machine that is always the same at a time that is always the same."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("core.devices.discover", lambda: [Device("cpu", "2 cores", 16 << 30)])
    monkeypatch.setattr("tui.widgets.runs_table.time", SimpleNamespace(time=lambda: BEGAN + 7200))
    monkeypatch.chdir(tmp_path)
    run = Run(Path("runs") / "2026-01-02_0300_digits-mlp_abc")
    run.path.mkdir(parents=True)
    config = configuration.from_dict({"training": {"epochs": EPOCHS}})
    run.config_file.write_text(configuration.to_yaml(config))
    events = [*history(config), *evaluations(run), RunFinished(status="completed", time=BEGAN + 61)]
    run.log_file.write_text("".join(to_json(event, run.id) + "\n" for event in events))
    return Path("runs")


def history(config: TrainConfig, seed: int = 0, pace: float = 5.0) -> Iterator[Event]:
    """A run that over-fits a little towards its end."""
    random = np.random.default_rng(seed)
    yield RunStarted(
        time=BEGAN,
        config=configuration.to_dict(config),
        task="multiclass",
        samples={"train": 1293, "validation": 144, "test": 360},
        classes=[str(digit) for digit in range(10)],
        sample_shape=[1, 8, 8],
        parameters=7510,
        device="cpu",
        threads=1,
        epochs=EPOCHS,
        steps_per_epoch=STEPS,
    )
    best, best_metrics = 0, {"loss": math.inf}
    for epoch in range(1, EPOCHS + 1):
        at = BEGAN + 2 * epoch
        train = {"loss": 2.2 * math.exp(-epoch / pace) + 0.05, "accuracy": 1 - 0.9 * math.exp(-epoch / 4)}
        noise = float(random.normal(0, 0.01))
        validation = {
            "loss": train["loss"] + 0.002 * epoch + noise,
            "accuracy": train["accuracy"] - 0.02 + noise / 4,
        }
        yield StepLogged(
            time=at - 1,
            epoch=epoch,
            step=STEPS * epoch - 10,
            train=train,
            lr=0.01,
            samples_per_second=12_345.0,
        )
        if validation["loss"] < best_metrics["loss"]:
            best, best_metrics = epoch, validation
        confusion = 14 * np.eye(10, dtype=int) + random.integers(0, 2, (10, 10)) * (epoch < 20)
        yield EpochFinished(
            time=at,
            epoch=epoch,
            step=STEPS * epoch,
            train=train,
            validation=validation,
            lr=0.01,
            seconds=1.25,
            best_epoch=best,
            best_metrics=best_metrics,
            confusion=confusion.tolist(),
        )
    yield CheckpointSaved(time=BEGAN + 60, kind="last", epoch=EPOCHS, step=STEPS * EPOCHS)
    yield Notice(time=BEGAN + 60, level="info", message="all epochs are done")


def evaluations(run: Run, seed: int = 1, skill: float = 3.5) -> Iterator[Event]:
    """Saved predictions and reports of both splits."""
    random = np.random.default_rng(seed)
    for split, samples in (("validation", 144), ("test", 360)):
        targets = np.arange(samples) % 10
        outputs = random.normal(size=(samples, 10)) + skill * np.eye(10)[targets]
        scores = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        predictions = Predictions(
            scores=scores, targets=targets, indices=np.arange(samples), probabilities=True
        )
        names = [str(digit) for digit in range(10)]
        report = evaluate(predictions, task="multiclass", class_names=names, split=split)
        run.evaluation_folder(split).mkdir(parents=True)
        predictions.save(run.evaluation_folder(split) / "predictions.npz")
        report.save(run.evaluation_folder(split) / "report.json")
        yield EvaluationFinished(time=BEGAN + 61, split=split, metrics=report.metrics)


def settled(app: TuiApp, *keys: str, followed: bool = False) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Lets the first screen come up, presses keys, and waits for what they set going."""

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: isinstance(app.screen, ModeScreen) and app.screen.is_current)
        if followed:
            await until(pilot, drawn)
        await quiet(app, pilot)
        for key in keys:
            await pilot.press(key)
            await quiet(app, pilot)
        if not followed:  # what is compared is read off the thread that draws it
            await until(pilot, drawn)
            await quiet(app, pilot)

    def drawn() -> bool:
        return any(plot.chart.series for plot in app.screen.query(Plot))

    return before


async def quiet(app: TuiApp, pilot: Pilot[Any]) -> None:
    """Wait for what was set going."""
    for _ in range(3):
        await pilot.pause()
        await app.workers.wait_for_complete()
    await pilot.pause(0.4)  # debounced previews begin after a wait of their own
    await app.workers.wait_for_complete()
    await pilot.pause()


SCREENS: dict[str, tuple[str, ...]] = {
    "live": (),
    "runs": ("1",),
    "configure": ("2",),
    "evaluate": ("4",),
    "help": ("question_mark",),
}


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(
    snap_compare: Callable[..., bool], runs_dir: Path, screen: str, size: tuple[int, int]
) -> None:
    (run,) = [Run(path) for path in runs_dir.iterdir()]
    app = TuiApp(runs_dir=runs_dir, values={"training": {"epochs": EPOCHS}}, follow=run)
    assert snap_compare(app, terminal_size=size, run_before=settled(app, *SCREENS[screen], followed=True))


def write_others(runs_dir: Path) -> None:
    """Write the other runs to compare."""
    for seed, (name, (values, pace, skill)) in enumerate(OTHERS.items(), start=2):
        run = Run(runs_dir / name)
        run.path.mkdir()
        config = configuration.from_dict(configuration.merge({"training": {"epochs": EPOCHS}}, values))
        run.config_file.write_text(configuration.to_yaml(config))
        events = [*history(config, seed, pace), *evaluations(run, seed, skill)]
        run.log_file.write_text(
            "".join(
                to_json(event, run.id) + "\n"
                for event in [*events, RunFinished(status="completed", time=BEGAN)]
            )
        )


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_compare(snap_compare: Callable[..., bool], runs_dir: Path, size: tuple[int, int]) -> None:
    write_others(runs_dir)
    app = TuiApp(runs_dir=runs_dir)
    assert snap_compare(app, terminal_size=size, run_before=settled(app, "6"))


@pytest.mark.heavy
async def test_light(snapshot: SnapshotAssertion, runs_dir: Path) -> None:
    """All modes and the help on a light background, in one app whose window changes its size."""
    settings_file().write_text(json.dumps({"theme": "torchtui-light"}))
    (run,) = [Run(path) for path in runs_dir.iterdir()]
    write_others(runs_dir)
    app = TuiApp(runs_dir=runs_dir, values={"training": {"epochs": EPOCHS}}, follow=run)
    pictures = snapshot.use_extension(SVGImageExtension)
    different = []
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(app, followed=True)(pilot)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for key in ["ctrl+pagedown"] * len(MODES) + ["question_mark"]:
                await pilot.press(key)
                await quiet(app, pilot)
                name = "-".join(
                    (app.current_mode, *["help"] * (key != "ctrl+pagedown"), f"{size[0]}x{size[1]}")
                )
                if app.export_screenshot() != pictures(name=name):
                    different.append(name)
            await pilot.press("escape")
    assert not different


def busy_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a cluster with two partitions and three jobs ahead, at a time that is always the same."""
    answer = stand_in(folder, monkeypatch)
    nodes = "gpu|gpu*|up|8:00:00|13/3|16|64|256000|gpu:a100:4", "debug|debug|up|30:00|0/1|1|8|16000|(null)"
    answer("sinfo", "\n".join(nodes))
    where = "using 64 processors on nodes n[1-2] in partition gpu"
    answer("sbatch", error=f"sbatch: Job 9 to start at {BEGAN + 5400:.0f} {where}\n")
    answer("squeue", "".join(f"{job}|{job}|50\n" for job in (6, 7, 8)))
    for module in ("core.slurm.forecast", "tui.runtime.hosts.slurm"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: BEGAN))


@pytest.mark.heavy
async def test_run_in_slurm(
    snapshot: SnapshotAssertion, runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_cluster(tmp_path / "bin", monkeypatch)
    job = Slurm(partition="gpu", gpus_per_node=2, time="04:00:00", sbatch=("--constraint=a100",))
    save_profile("a100-short", job)
    hosts = {"slurm": job.model_dump(mode="json", exclude={"name"})}
    settings_file().write_text(json.dumps({"run_in": "slurm", "hosts": hosts}))
    (run,) = [Run(path) for path in runs_dir.iterdir()]
    app = TuiApp(runs_dir=runs_dir, follow=run)
    pictures = snapshot.use_extension(SVGImageExtension)
    different = []
    async with app.run_test(size=SIZES[0]) as pilot:
        await settled(app, "2", followed=True)(pilot)
        section = instance(ConfigureScreen, app.screen).run_in
        section.chooser.editor.focus()
        await until(pilot, lambda: section.query_one(".forecast").display)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await quiet(app, pilot)
            section.scroll_visible(animate=False, top=True)
            await quiet(app, pilot)
            name = f"{size[0]}x{size[1]}"
            if app.export_screenshot() != pictures(name=name):
                different.append(name)
    assert not different


def lineup() -> Lineup:
    """A queue with what runs, waits and has ended."""
    made = Lineup(note="entry 2 waits for 2 free GPUs")
    entries: dict[str, dict[str, Any]] = {
        "2026-01-02_0330_digits-cnn_mnp": {"state": "running", "devices": "cuda:0, cuda:1"},
        "2026-01-02_0340_a-network-with-a-long-name_stu": {"gpus": 2},
        "tune -p optimizer.lr=log:1e-4..1": {"gpus": 0},
        "2026-01-02_0300_digits-mlp_abc": {"state": "completed", "ended": BEGAN + 61},
        "2026-01-02_0310_digits-mlp_def": {"state": "failed", "code": 1, "ended": BEGAN + 9},
    }
    for title, facts in entries.items():
        entry = Entry(id=0, words=("train",), folder="/", title=title, started=BEGAN, **facts)
        made = added(made, entry)
    return made


@pytest.mark.heavy
async def test_queue(snapshot: SnapshotAssertion, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.runtime.user_queue.texts.time", SimpleNamespace(time=lambda: BEGAN + 4000))
    change_lineup(lambda before: lineup())
    waiting = tuple(Waiting(configuration.from_dict({}), name) for name in ("wide", "wider"))
    (run,) = [Run(path) for path in runs_dir.iterdir()]
    app = TuiApp(runs_dir=runs_dir, follow=run)
    pictures = snapshot.use_extension(SVGImageExtension)
    different = []
    with instance(FileLock, hold_work()):
        async with app.run_test(size=SIZES[0]) as pilot:
            await settled(app, "1", followed=True)(pilot)
            app.push_screen(QueueDialog(lambda: waiting, lambda changed: None))
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await quiet(app, pilot)
                name = f"{size[0]}x{size[1]}"
                if app.export_screenshot() != pictures(name=name):
                    different.append(name)
    assert not different
