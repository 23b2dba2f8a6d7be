"""A study on screen: resumed with other limits, and shown beside another one."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from core.config import schema as configuration
from core.runs.folder import Run
from core.runs.jobs.record import JobRecord, write_job
from core.runs.labels import write_labels
from core.slurm.job import SlurmJob
from core.tuning.search.plan import make_plan
from core.tuning.study.folder import StudyFolder
from core.tuning.study.study import create_study, open_study
from tests.support.narrow import instance, some
from tests.support.waiting import until
from tui.app.app import TuiApp
from tui.runtime import study_process
from tui.screens.tune.dialogs import ChooseStudies
from tui.screens.tune.resume_dialog import ResumeDialog
from tui.screens.tune.screen import TuneScreen
from tui.screens.tune.spread_panel import SpreadPanel
from tui.screens.tune.study_actions import listed
from tui.widgets.drawing import Drawing
from tui.widgets.field import Field

VALUES: dict[str, Any] = {
    "data": {"name": "iris"},
    "model": "mlp",
    "training": {"epochs": 2, "device": "cpu"},
}
RANGES = {"optimizer.lr": {"low": 0.001, "high": 0.1}}


def test_studies_are_listed_with_the_names_that_they_were_given(tmp_path: Path) -> None:
    named, plain = (StudyFolder(tmp_path / f"study_2026-01-01_090{minute}_iris-mlp_abc") for minute in (0, 1))
    for study in (named, plain):
        study.path.mkdir()
    write_labels(named.path, name="rates of [b]all[/b] kinds")
    assert listed([named, plain]) == {
        f"{named.name}  rates of [b]all[/b] kinds": str(named.path),
        plain.name: str(plain.path),
    }


@pytest.mark.slow
async def test_a_study_is_resumed_with_changes_and_shown_beside_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    launched: list[dict[str, Any]] = []
    monkeypatch.setattr(study_process, "launch", lambda *given, **named: launched.append(named))
    plan = make_plan(configuration.from_dict(VALUES), RANGES, method="random", trials=3)
    other = create_study(tmp_path / "runs", plan)
    study = create_study(tmp_path / "runs", plan)
    write_job(Run(study.folder.path), JobRecord(SlurmJob("31", "COMPLETED"), 1e9, 1e9, ours=True))
    app = TuiApp(runs_dir=tmp_path / "runs", data_root=tmp_path / "data", values=VALUES)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await until(pilot, lambda: app.current_mode in ("runs", "configure") and app.screen.is_current)
        await pilot.pause()
        app.action_go("tune")
        await until(pilot, lambda: isinstance(app.screen, TuneScreen) and app.screen.built)
        screen = instance(TuneScreen, app.screen)
        # The screen opens the latest study by itself: nothing may be asked of it before that has ended.
        await until(pilot, lambda: screen.standing is not None)
        latest = screen._follower
        screen.open_study(str(study.folder.path))
        await until(pilot, lambda: screen._follower is not latest and screen.standing is not None)
        assert some(screen.standing).folder == study.folder
        screen.show_study()

        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ResumeDialog))
        fields = {field.spec.path: field for field in app.screen.query(Field)}
        for path, text in {"timeout": "2m", "patience": "x", "ranges": "lr=0.05..0.01"}.items():
            instance(Input, fields[path].editor).value = text
        await until(pilot, lambda: fields["ranges"].text == "lr=0.05..0.01")
        await pilot.click("#answer")
        assert fields["patience"].problem == "enter a number ≥ 0, or nothing"
        assert "a range must increase" in fields["ranges"].problem
        instance(Input, fields["patience"].editor).value = "7"
        instance(Input, fields["ranges"].editor).value = "lr=0.01..0.05"
        await until(pilot, lambda: fields["ranges"].text == "lr=0.01..0.05")
        # A button takes no second click while it shows the first one.
        await until(pilot, lambda: not app.screen.query_one("#answer").has_class("-active"))
        await pilot.click("#answer")
        await until(pilot, lambda: launched)
        assert launched == [{"seconds": 120.0, "trials": None, "storage_url": None}]
        told = "This machine works on it now, not jobs of Slurm"
        await until(pilot, lambda: any(told in note.message for note in app._notifications))
        changed = open_study(app.runs_dir, str(study.folder.path)).plan
        assert changed.patience == 7
        assert changed.space.to_dict()["optimizer.lr"] == {"low": 0.01, "high": 0.05}
        await until(pilot, lambda: screen.standing is not None and screen.standing.plan.patience == 7)

        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ChooseStudies))
        await pilot.press("space")
        await pilot.click("#answer")
        await until(pilot, lambda: screen.query_one(SpreadPanel).has_class("-page"))
        drawn = screen.query_one("#side-by-side", Drawing)
        await until(pilot, lambda: drawn.size.width > 0)
        names, method, *_ = str(drawn.render()).split("\n")
        assert [names.split()[at][-3:] for at in (1, 3)] == [study.name[-3:], other.name[-3:]]
        assert method.split() == ["method", "random", "random"]
        assert "spread of 2 studies" in str(screen.query_one(SpreadPanel).border_title)
        assert some(screen.standing).folder == study.folder
