"""Logs with hostile texts and numbers: shown, never interpreted, never a crash."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import TrainConfig
from core.runs.creating import create_run
from tests.support.narrow import instance, some
from tests.support.screen import screen_text
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.screens.live.screen import LiveScreen
from tui.screens.runs.screen import RunsScreen

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e[bold]x[/bold]\n"
START: dict[str, Any] = {
    "event": "run_started",
    "config": {},
    "task": "multiclass",
    "samples": {},
    "classes": [EVIL, "b"],
    "sample_shape": [4],
    "parameters": 5,
    "device": EVIL,
    "threads": 1,
    "epochs": 3,
    "steps_per_epoch": 2,
    "host": EVIL,
}
EPOCH: dict[str, Any] = {
    "event": "epoch_finished",
    "epoch": 1,
    "step": 2,
    "train": {"loss": None, EVIL: 1},
    "validation": {},
    "lr": 1e308,
    "seconds": -5,
    "best_epoch": 1,
    "best_metrics": {EVIL: 3.0},
    "confusion": [[1, 2], [3, 4]],
}
STEP: dict[str, Any] = {
    "event": "step_logged",
    "epoch": 9**15,
    "step": 9**15,
    "train": {"loss": 1e308},
    "lr": -1.0,
}
LOGS: dict[str, list[dict[str, Any]]] = {
    "texts": [START, EPOCH, {"event": "notice", "level": "error", "message": EVIL}],
    "settings": [
        {**START, "config": {"data": {"name": EVIL}, "optimizer": {"lr": [EVIL]}, "training": {}}},
        EPOCH,
    ],
    "numbers": [
        EPOCH,
        {**START, "epochs": 2**53, "steps_per_epoch": 1, "step": 2**53, "time": 1e300},
        {**EPOCH, "confusion": [[2**53] * 3] * 2, "time": -1e300},
        {**STEP, "samples_per_second": 1e300},
        {**EPOCH, "epoch": 0, "step": 0, "validation": {"loss": 1e308, "accuracy": -1e308}},
        {"event": "run_finished", "status": "failed", "error": EVIL, "traceback": EVIL},
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOGS)
async def test_a_hostile_log_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    run = create_run(tmp_path / "runs", TrainConfig())
    run.log_file.write_text("".join(json.dumps(line) + "\n" for line in LOGS[name]))
    app = TuiApp(runs_dir=tmp_path / "runs", follow=run)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LiveScreen) and some(app.feed).history.version >= 2)
        instance(LiveScreen, app.screen).draw()
        await pilot.press(
            "comma",
            "l",
            "greater_than_sign",
            "z",
            "L",
            "b",
            "right_square_bracket",
            "right",
            "plus",
            "asterisk",
            "0",
            "full_stop",
        )
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app).replace("\n", ""))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app).replace("\n", ""))
    assert app.return_code in (None, 0)
