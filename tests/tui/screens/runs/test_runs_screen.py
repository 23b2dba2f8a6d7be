"""The list of runs: it refreshes, filters, sorts, previews, and acts on the run under the cursor."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.config.schema import TrainConfig, from_dict, to_dict
from core.events import EpochFinished, EvaluationFinished, Event, RunFinished, RunStarted
from core.interop.readers.following import ForeignLog
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.jobs.record import JobRecord, write_job
from core.runs.lock import hold
from core.runs.log import EventLog
from core.runs.summary import summarise
from core.slurm.job import SlurmJob
from core.slurm.settings import SlurmSettings
from tests.support.locks import refuse_locks
from tests.support.narrow import instance, some
from tests.support.screen import lines, question
from tests.support.slurm_answers import stand_in
from tui.app.app import TuiApp
from tui.charts.plot import Plot
from tui.forms.resuming import command_to_resume
from tui.runtime.hosts.host import Host
from tui.runtime.hosts.slurm import Slurm
from tui.screens.dialogs import Ask
from tui.screens.runs.run_preview import RunPreview
from tui.screens.runs.screen import RunsScreen
from tui.widgets.panel import Panel
from tui.widgets.runs_table import RunsTable

SIZE = (120, 40)


class App(TuiApp):
    """The app, which notes what the screen asks of it in place of training and evaluating."""

    def __init__(self, runs_dir: Path, **options: Any) -> None:
        super().__init__(runs_dir=runs_dir, **options)
        self.asked: list[tuple[str, str]] = []

    def open_run(self, run: Run | ForeignLog) -> None:
        assert isinstance(run, Run)
        self.asked.append(("open", run.id))

    def evaluate_run(self, run: Run) -> None:
        self.asked.append(("evaluate", run.id))

    def resume_run(self, run: Run, host: Host | None = None) -> None:
        self.asked.append(("resume", run.id if host is None else f"{run.id} in {host}"))


def begun(day: int, values: dict[str, Any], epochs: int = 4) -> RunStarted:
    return RunStarted(
        time=datetime(2026, 1, day, 9).timestamp(),
        config=to_dict(from_dict({"training": {"epochs": epochs}, **values})),
        task="regression" if values.get("data") == "diabetes" else "multiclass",
        samples={"train": 100, "validation": 10, "test": 20},
        classes=["a", "b"],
        sample_shape=[4],
        parameters=5310,
        device="cpu",
        threads=1,
        epochs=epochs,
        steps_per_epoch=2,
    )


def epoch(number: int, loss: float, score: dict[str, float]) -> EpochFinished:
    return EpochFinished(
        time=1.8e9,
        epoch=number,
        step=2 * number,
        train={"loss": loss},
        validation={"loss": loss},
        lr=0.1,
        seconds=1.0,
        best_epoch=number,
        best_metrics={"loss": loss, **score},
    )


def say(run: Run, *events: Event) -> None:
    run.path.mkdir(parents=True, exist_ok=True)
    log = EventLog(run)
    for event in events:
        log.write(event)
    log.close()


@pytest.fixture
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five runs: completed, stopped, failed, interrupted, damaged, each a day younger than the one before."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    runs_dir = tmp_path / "runs"
    values = {"data": "mnist", "optimizer": {"name": "adam", "lr": 0.5}}
    say(
        Run(runs_dir / "2026-01-01_0900_mnist-mlp_aaa"),
        begun(1, values),
        *(epoch(number, 1 / number, {"accuracy": 1 - 0.5 / number}) for number in range(1, 5)),
        EvaluationFinished(time=1.8e9, split="test", metrics={"accuracy": 0.85, "f1_macro": 0.8}),
        RunFinished(time=1.8e9, status="completed"),
    )
    say(
        Run(runs_dir / "2026-01-02_0900_digits-mlp_bbb"),
        begun(2, {}, epochs=9),
        epoch(1, 0.9, {"accuracy": 0.4}),
        RunFinished(time=1.8e9, status="stopped"),
    )
    say(
        Run(runs_dir / "2026-01-03_0900_digits-cnn_ccc"),
        begun(3, {"model": "cnn"}),
        RunFinished(time=1.8e9, status="failed", error="RuntimeError: [red]out of memory[/]"),
    )
    say(
        Run(runs_dir / "2026-01-04_0900_diabetes-linear_ddd"),
        begun(4, {"data": "diabetes", "model": "linear"}),
        epoch(1, 0.7, {"r2": 0.3}),
    )
    say(Run(runs_dir / "2026-01-05_0900_iris-mlp_eee"))
    return runs_dir


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until all results of threads, and of those that they lead to, have reached the screen."""
    for _ in range(3):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def looked(pilot: Pilot[Any]) -> None:
    """Refresh the folder, as happens every few seconds."""
    screen = pilot.app.screen
    assert isinstance(screen, RunsScreen)
    screen.look()
    await settled(pilot)


def ids(app: TuiApp) -> str:
    """The last letter of the runs as they are listed."""
    return "".join(row.run.id[-1] for row in app.screen.query_one(RunsTable).rows)


def table_text(app: TuiApp) -> str:
    return "\n".join(lines(app.screen.query_one(RunsTable)))


def message(app: TuiApp) -> str:
    return str(app.screen.query_one("#filter-message", Static).visual)


async def type_filter(pilot: Pilot[Any], text: str) -> None:
    pilot.app.screen.query_one("#filter", Input).value = text
    await settled(pilot)


@pytest.mark.slow
async def test_all_runs_are_listed_newest_first_with_sign_and_word(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert ids(app) == "edcba"
        head, *rows = lines(app.screen.query_one(RunsTable))
        assert head.split() == ["status", "run", "data", "model", "epochs", "accuracy", "▲age"]
        assert rows[0].split()[:3] == ["▸", "?", "damaged"]
        assert "events.jsonl does not start with" in rows[0]
        assert rows[1].split()[:3] == ["▲", "interrupted", "diabet…"]
        assert rows[1].split()[3:9] == ["ddd", "diabetes", "linear", "1/4", "R2", "0.300"]
        assert rows[2].split()[:7] == ["✗", "failed", "digits…", "ccc", "digits", "cnn", "0/4"]
        assert rows[3].split()[:7] == ["■", "stopped", "digits…", "bbb", "digits", "mlp", "1/9"]
        assert rows[4].split()[:8] == ["✓", "completed", "mnist-…", "aaa", "mnist", "mlp", "4/4", "0.8750"]
        panel = app.screen.query_one("#runs-panel", Panel)
        assert str(panel.border_title) == "runs  5"
        assert str(panel.border_subtitle) == "▲ 1 interrupted  ✗ 1 failed  ? 1 damaged"


@pytest.mark.slow
async def test_the_list_lives_and_the_cursor_stays_on_its_run(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("down")
        new = Run(runs_dir / "2026-01-06_0900_digits-mlp_fff")
        say(new, begun(6, {}), epoch(1, 0.5, {"accuracy": 0.5}))
        with hold(new):
            await looked(pilot)
            table = app.screen.query_one(RunsTable)
            assert ids(app) == "fedcba"
            assert some(table.selected).run.id.endswith("ddd")
            assert any(
                "● running" in line and "fff" in line for line in lines(app.screen.query_one(RunsTable))
            )
            say(new, epoch(2, 0.4, {"accuracy": 0.6}))
            await looked(pilot)
            assert "2/4" in lines(table)[1]
        await looked(pilot)
        assert "▲ interrupted  " in lines(table)[1]
        assert "fff" in lines(table)[1]
        os.rename(runs_dir / "2026-01-04_0900_diabetes-linear_ddd", runs_dir.parent / "elsewhere")
        await looked(pilot)
        assert ids(app) == "fecba"
        assert some(table.selected).run.id.endswith("ccc")


@pytest.mark.slow
async def test_filtering_as_one_types(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"digits")
        await settled(pilot)
        assert ids(app) == "cb"
        assert str(app.screen.query_one("#runs-panel", Panel).border_title) == "runs  2 of 5"
        await pilot.press("space", *"loss")
        assert ids(app) == "cb"
        assert message(app) == "Add a comparison, such as loss>0.9"
        await type_filter(pilot, "digits acuracy>0.1")
        assert ids(app) == "cb"
        assert message(app) == "✗ unknown name 'acuracy'. Did you mean accuracy?"
        await type_filter(pilot, "digits accuracy>0.1")
        assert ids(app) == "b"
        assert message(app) == ""
        await type_filter(pilot, "cfg.optimizer.lr>=1e-1 status:comp")
        assert ids(app) == "a"
        await type_filter(pilot, "nothing-like-it")
        assert ids(app) == ""
        assert "no run matches" in table_text(app)
        assert not app.screen.query_one(RunPreview).query("Panel").first().display
        await pilot.press("escape")
        assert app.focused is app.screen.query_one(RunsTable)
        assert app.screen.query_one("#filter", Input).value == "nothing-like-it"
        await pilot.press("escape")
        await settled(pilot)
        assert ids(app) == "edcba"


@pytest.mark.slow
async def test_a_run_that_changes_joins_and_leaves_the_filtered_list(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await type_filter(pilot, "status:interrupted")
        assert ids(app) == "d"
        say(Run(runs_dir / "2026-01-04_0900_diabetes-linear_ddd"), RunFinished(status="stopped"))
        say(Run(runs_dir / "2026-01-05_0900_iris-mlp_eee"), begun(5, {}))
        await looked(pilot)
        assert ids(app) == "e"
        say(Run(runs_dir / "2026-01-07_0900_iris-mlp_ggg"), begun(7, {}))
        await looked(pilot)
        assert ids(app) == "ge"


@pytest.mark.slow
async def test_sorting_by_key_and_by_mouse(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("o")
        assert instance(RunsScreen, app.screen).runs.column == "status"
        assert ids(app) == "dceba"
        await pilot.press("O")
        assert ids(app) == "abecd"
        table = app.screen.query_one(RunsTable)
        column = lines(table)[0].index("accuracy")
        await pilot.click(RunsTable, offset=(column, 0))
        assert "▼accuracy" in lines(table)[0]
        assert ids(app) == "abdec"
        await pilot.click(RunsTable, offset=(column, 0))
        assert ids(app) == "dbaec"
        assert table.cursor == 0


@pytest.mark.slow
async def test_the_preview_tells_of_the_run_under_the_cursor(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        facts = app.screen.query_one("#preview-facts")
        assert "does not start with the start of a run" in "\n".join(lines(facts))
        await pilot.press("end")
        await settled(pilot)
        chart = app.screen.query_one("#preview-loss", Plot).chart
        assert [series.label for series in chart.series] == ["train", "validation"]
        assert chart.series[1].y.tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
        assert [(mark.symbol, mark.x) for mark in chart.marks] == [("★", 4)]
        text = " ".join(" ".join(lines(facts)).split())
        assert "✓ completed epoch 4/4" in text
        assert "★ epoch 4 loss 0.2500 accuracy 0.8750" in text
        assert "0.8500" not in text, "nobody has opened the test split"
        assert "mnist 100 train 10 validation 20 test" in text
        assert "learning auto adam constant" in text
        assert "changed optimizer adam optimizer.lr 0.5 training.epochs 4" in text
        assert str(runs_dir / "2026-01-01_0900_mnist-mlp_aaa") in "".join("".join(lines(facts)).split())
        await pilot.press("up", "up")
        await settled(pilot)
        assert "RuntimeError: [red]out of memory[/]" in "\n".join(lines(facts))
        assert app.screen.query_one("#preview-loss", Plot).chart.empty == "no epoch was finished"


@pytest.mark.slow
async def test_the_preview_follows_a_growing_log(runs_dir: Path) -> None:
    app = App(runs_dir)
    run = Run(runs_dir / "2026-01-04_0900_diabetes-linear_ddd")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("down")
        await settled(pilot)
        plot = app.screen.query_one("#preview-loss", Plot)
        assert plot.chart.series[1].y.tolist() == [0.7]
        say(run, epoch(2, 0.6, {"r2": 0.4}))
        await looked(pilot)
        assert plot.chart.series[1].y.tolist() == [0.7, 0.6]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "at_first"), [((80, 24), False), ((120, 40), True), ((200, 60), True)])
async def test_p_shows_and_hides_the_preview(runs_dir: Path, size: tuple[int, int], at_first: bool) -> None:
    app = App(runs_dir)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("end")
        preview = app.screen.query_one(RunPreview)
        assert preview.display is at_first
        assert app.screen.query_one(RunsTable).size.height >= 14
        await pilot.press("p")
        await settled(pilot)
        assert preview.display is not at_first
        await pilot.press(*([] if preview.display else ["p"]))
        await settled(pilot)
        assert len(app.screen.query_one("#preview-loss", Plot).chart.series) == 2
        assert preview.region.bottom <= size[1] - 1
        assert preview.region.right <= size[0]


async def test_a_run_whose_job_was_cancelled_is_submitted_again_with_the_same_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path / "bin", monkeypatch)
    run = create_run(tmp_path / "runs", TrainConfig())
    settings = SlurmSettings(partition="pair", nodes=2, setup=("module load cuda",))
    kept = settings.model_dump(mode="json", exclude_defaults=True)
    write_job(run, JobRecord(SlurmJob("12", "CANCELLED by 4000000"), 1e9, 1e9, ours=True, settings=kept))
    summary = summarise(run)
    assert command_to_resume(summary) == (
        f"tui train --no-ui --resume {run.id} --run-in slurm --partition pair --nodes 2 "
        f"--setup 'module load cuda' --runs {run.path.parent}"
    )
    app = App(tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("r")
        assert "Resume" in question(app)
        await pilot.press("left", "left", "enter")
        await settled(pilot)
    assert app.asked == [("resume", f"{run.id} in {Slurm.model_validate(kept)}")]


@pytest.mark.slow
async def test_what_one_can_do_with_a_run(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(runs_dir)
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    completed = Run(runs_dir / "2026-01-01_0900_mnist-mlp_aaa")
    interrupted = Run(runs_dir / "2026-01-04_0900_diabetes-linear_ddd")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("r", "e", "c", "s")  # damaged: nothing of this can be done
        assert app.asked == []
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("down", "r")
        assert app.asked == []  # no checkpoint
        interrupted.checkpoint_file("last").parent.mkdir()
        interrupted.checkpoint_file("last").touch()
        await pilot.press("r", "enter", "end", "e", "y", "Y")
        await pilot.double_click(RunsTable, offset=(10, 1))
        await pilot.pause()
        assert app.asked == [
            ("resume", interrupted.id),
            ("open", interrupted.id),
            ("evaluate", completed.id),
            ("open", "2026-01-05_0900_iris-mlp_eee"),
        ]
        assert copied == [completed.id, str(completed.path)]
        await pilot.press("end", "c")
        await settled(pilot)
        assert app.current_mode == "configure"
        assert app.form_values["data"]["name"] == "mnist"
        assert app.form_values["optimizer"]["lr"] == 0.5


@pytest.mark.slow
async def test_a_running_run_is_asked_to_stop(runs_dir: Path) -> None:
    app = App(runs_dir)
    run = Run(runs_dir / "2026-01-04_0900_diabetes-linear_ddd")
    async with app.run_test(size=SIZE) as pilot:
        with hold(run):
            await settled(pilot)
            await pilot.press("down", "x")
            await settled(pilot)
            assert isinstance(app.screen, RunsScreen)  # what is trained is not deleted
            await pilot.press("s")
            assert isinstance(app.screen, Ask)
            await pilot.press("escape")
            assert not run.requests_file.exists()
            await pilot.press("s")
            await pilot.click("#answer-stop")
            await settled(pilot)
            assert run.requests_file.read_text() == "stop\n"


@pytest.mark.slow
async def test_deleting_asks_first(runs_dir: Path) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("end", "x")
        await settled(pilot)
        size = (runs_dir / "2026-01-01_0900_mnist-mlp_aaa" / "events.jsonl").stat().st_size
        assert "mnist-mlp_aaa" in question(app)
        assert f"{size / 1024:.3g} KiB" in question(app)
        await pilot.press("enter")  # the safe answer has the focus
        await settled(pilot)
        assert ids(app) == "edcba"
        await pilot.press("delete", "delete")
        await settled(pilot)
        await pilot.click("#answer-delete")
        await settled(pilot)
        assert isinstance(app.screen, RunsScreen)
        assert ids(app) == "edcb"
        assert sorted(run.id[-1] for run in all_runs(runs_dir)) == ["b", "c", "d", "e"]
        assert some(app.screen.query_one(RunsTable).selected).run.id.endswith("bbb")


@pytest.mark.slow
async def test_deleting_on_a_disk_without_locks_asks_to_look_first(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs_dir / "2026-01-01_0900_mnist-mlp_aaa" / "run.lock").touch()
    refuse_locks(monkeypatch)
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("end", "x")
        await settled(pilot)
        assert "has no locks: make sure that no process is training it" in question(app)


@pytest.mark.slow
async def test_a_run_that_someone_begins_to_train_is_not_deleted(runs_dir: Path) -> None:
    app = App(runs_dir)
    run = Run(runs_dir / "2026-01-02_0900_digits-mlp_bbb")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("end", "up", "x")
        await settled(pilot)
        with hold(run):
            await pilot.click("#answer-delete")
            await settled(pilot)
        assert run.log_file.exists()
        assert ids(app) == "edcba"


@pytest.mark.slow
async def test_without_runs_it_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    app = App(tmp_path / "none")
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await settled(pilot)
        notice = app.screen.query_one("#runs-notice", Static)
        assert bool(notice.display)
        assert "Press 2 to choose" in str(notice.visual)
        await pilot.press("enter", "x", "e", "o", "down", "end", "p", "escape")
        say(Run(tmp_path / "none" / "my-run"), begun(1, {}))
        await looked(pilot)
        assert not bool(notice.display)
        assert "my-run" in table_text(app)
        assert app.focused is app.screen.query_one(RunsTable)


@pytest.mark.slow
async def test_a_folder_that_cannot_be_read_is_told(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(runs_dir)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)

        def refuse(path: object) -> None:
            raise PermissionError(13, "Permission denied")

        with monkeypatch.context() as patch:
            patch.setattr(os, "scandir", refuse)
            await looked(pilot)
        assert "Permission denied" in str(app.screen.query_one("#runs-notice", Static).visual)
        await looked(pilot)
        assert not app.screen.query_one("#runs-notice").display
        assert ids(app) == "edcba"


@pytest.mark.slow
async def test_names_from_files_are_neither_markup_nor_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    run = Run(tmp_path / "runs" / "[b]\x1b[2J日本")
    say(run, begun(1, {}), RunFinished(status="failed", error="\x1b[31m[/nothing]\nred"))
    app = App(tmp_path / "runs")
    async with app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        assert "[b]␛[2J日本" in table_text(app)
        facts = "\n".join(lines(app.screen.query_one("#preview-facts")))
        assert "␛[31m[/nothing]⏎red" in facts
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, Ask)
        await pilot.click("#answer-delete")
        await settled(pilot)
        assert not run.path.exists()


@pytest.mark.slow
async def test_a_long_list_scrolls_with_its_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "settings.json"))
    for number in range(100):
        say(Run(tmp_path / "runs" / f"2026-01-01_0900_iris-mlp_{number:03}"), begun(1, {}))
    app = App(tmp_path / "runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        table = app.screen.query_one(RunsTable)
        await pilot.press("pagedown", "pagedown")
        seen = [line.split()[2][-3:] for line in lines(table)[1:] if "iris" in line and "▸" not in line]
        assert some(table.selected).run.id[-3:] not in seen
        assert any("▸" in line and some(table.selected).run.id[-3:] in line for line in lines(table))
        above = table.cursor - table.scroll_offset.y
        say(Run(tmp_path / "runs" / "2026-01-01_0900_iris-mlp_new"), begun(2, {}))
        selected = some(table.selected).run
        await looked(pilot)
        assert some(table.selected).run == selected
        assert table.cursor - table.scroll_offset.y == above
        await pilot.press("end")
        assert some(table.selected).run.id.endswith("000")
        assert table.scroll_offset == Offset(0, 101 - (table.size.height - 1))
        await pilot.press("home")
        assert table.scroll_offset == Offset(0, 0)
