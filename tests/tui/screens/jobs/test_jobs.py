"""Report, export and predictions from the app ask what the commands ask, and keep what was typed after an error."""

from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Button, Input, Static

from core.errors import InputError, RunError
from core.runs.folder import Run
from tests.support.narrow import instance
from tests.support.screen import plain, screen_text
from tests.support.waiting import until
from tests.tui.conftest import CopyOf, Visits
from tui.screens.evaluate.screen import EvaluateScreen
from tui.screens.jobs.dialog import JobDialog
from tui.screens.jobs.files import aligned, export_job, predict_job, report_job
from tui.screens.jobs.job import Done
from tui.screens.jobs.several import EACH, TOGETHER, for_each


def answered(run: Run, **answers: str) -> dict[str, str]:
    return {"checkpoint": "best", "masks": "", **answers}


def test_jobs_show_the_command_that_does_the_same() -> None:
    run, other = Run(Path("runs/a b")), Run(Path("runs/c"))
    assert (
        report_job(run, [], None).command({"output": "page.html", "split": "test"})
        == "tui report 'a b' -o page.html --split test"
    )
    both = report_job(run, [run, other], None)
    marked = {"runs": TOGETHER, "output": "p.html"}
    assert both.tested({**marked, "split": "test"}) == [run, other], "asked for before it is shown"
    assert both.tested({**marked, "split": "validation"}) == []
    assert both.questions[0].choices == {"this": "a b", TOGETHER: "the 2 marked runs, compared"}
    answers = {"runs": TOGETHER, "output": "p.html", "split": "train"}
    assert both.command(answers) == "tui report 'a b' c -o p.html --split train"
    assert (
        export_job(other, [], None).command({"to": "pt2", "output": "", "checkpoint": "last"})
        == "tui export c --to pt2 --checkpoint last"
    )
    predict = predict_job(Run(Path("elsewhere/d")), [], None)
    assert (
        predict.command(answered(run, samples="new.csv", csv="out.csv"))
        == "tui predict d new.csv --csv out.csv --runs elsewhere"
    )


def test_jobs_on_marked_runs_show_a_command_for_each_or_one_for_all() -> None:
    run, other = Run(Path("runs/a")), Run(Path("runs/b"))
    export = export_job(run, [other, run], None)
    answers = answered(run, to="onnx", output="out")
    assert export.command(answers) == "tui export a --to onnx -o out"
    assert export.command({**answers, "runs": EACH}) == (
        "tui export b --to onnx -o out/b-onnx && tui export a --to onnx -o out/a-onnx"
    )
    assert export.uses({**answers, "runs": EACH}) == [other, run]
    predict = predict_job(run, [other, run], None)
    answers = answered(run, samples="new.csv", csv="to/out.csv")
    assert predict.written({**answers, "runs": EACH}) == ["to/out-b.csv", "to/out-a.csv"]
    assert predict.written({**answers, "runs": TOGETHER}) == ["to/out.csv"]
    assert predict.command({**answers, "runs": EACH}) == (
        "tui predict b new.csv --csv to/out-b.csv && tui predict a new.csv --csv to/out-a.csv"
    )
    together = predict.command({**answers, "runs": TOGETHER})
    assert together == "tui predict b a new.csv --csv to/out.csv --together"
    with pytest.raises(InputError, match="averaged with the best weights"):
        predict.work({**answers, "runs": TOGETHER, "checkpoint": "last"}, lambda *_: None)
    assert next(question.key for question in export_job(run, [other], None).questions) == "to"


def test_a_run_that_fails_keeps_no_other_from_its_job() -> None:
    runs = [Run(Path("runs/a")), Run(Path("runs/b"))]

    def work(run: Run) -> Done:
        if run is runs[0]:
            raise RunError("it is gone")
        return Done("written")

    done = for_each(runs, work, lambda *_: None)
    assert done.message == "1 of 2 runs done"
    assert done.lines == ("✗ a: it is gone", "✓ b: written")
    with pytest.raises(RunError, match="it is gone"):
        for_each(runs[:1], work, lambda *_: None)

    def cancelled(what: str, done: int, total: int) -> None:
        raise RunError("cancelled")

    with pytest.raises(RunError, match="cancelled"):
        for_each(runs, work, cancelled)


def test_jobs_name_what_is_missing(tmp_path: Path) -> None:
    job = predict_job(Run(tmp_path), [], None)
    with pytest.raises(InputError, match="no path given for the file or folder of samples"):
        job.work(answered(Run(tmp_path), samples="", csv="out.csv"), lambda *_: None)
    with pytest.raises(RunError, match="no checkpoint 'last'"):
        export_job(Run(tmp_path), [], None).work({"to": "csv", "output": "", "checkpoint": "last"}, print)


def test_rows_are_aligned_and_text_from_files_is_no_control_sequence() -> None:
    assert aligned([["id", "class"], ["1", "a\x1b[31m"], ["200", "x" * 40]]) == [
        "id   class",
        "1    a␛[31m",
        "200  " + "x" * 19 + "…",
    ]


@pytest.mark.slow
async def test_a_dialog_works_shows_the_result_and_keeps_what_was_typed_after_an_error(
    copy_of: CopyOf, visit: Visits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = copy_of("diabetes")
    np.savez("new.npz", inputs=np.zeros((8, 10), np.float32))
    async with visit() as seen:
        await seen.open(run)
        await seen.press("w")
        assert "export" in screen_text(seen.app)
        await seen.press("p")
        dialog = instance(JobDialog, seen.app.screen)
        samples = dialog.query_one("#ask-samples", Input)
        samples.value = "nowhere.npz"
        await seen.press("enter")
        state = dialog.query_one("#job-state", Static)
        await until(seen.pilot, lambda: "not found" in plain(state))
        assert samples.value == "nowhere.npz"

        samples.value = "new.npz"
        await until(seen.pilot, lambda: not plain(state))
        Path("predictions.csv").write_text("mine")
        await seen.press("enter")
        assert "already exists" in plain(state)
        assert str(dialog.query_one("#work", Button).label) == "Replace it"
        await seen.press("enter")
        await until(seen.pilot, lambda: "8 predictions written" in plain(state))
        assert str(tmp_path / "predictions.csv") in plain(state).replace("\n", "")
        written = Path("predictions.csv").read_text().splitlines()
        assert len(written) == 9
        assert written[0] == "id,prediction"
        assert "id  prediction" in screen_text(seen.app)
        await seen.press("escape")
        assert isinstance(seen.app.screen, EvaluateScreen)
