"""Reports as text: what fits is printed, what does not is pointed to, and no name acts on the terminal."""

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from core.config.schema import TrainConfig
from core.evaluation import Predictions, Report
from core.events import RunFinished
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.log import EventLog
from core.runs.media.kinds import Text
from core.runs.media.store import MediaStore
from core.runs.summary import RunSummary
from core.tasks.evaluation import evaluate
from tui.headless.report import print_report, print_summary
from tui.headless.train_views import LOST, PlainView, ProgressView


def report_of(classes: int, names: list[str] | None = None) -> Report:
    scores = np.eye(classes)
    predictions = Predictions(scores, np.arange(classes), np.arange(classes), probabilities=True)
    names = names or [f"class {number}" for number in range(classes)]
    return evaluate(predictions, task="multiclass", class_names=names, split="test", intervals=False)


def printed(report: Report, width: int = 100) -> str:
    out = io.StringIO()
    print_report(report, Console(file=out, width=width))
    return out.getvalue()


def test_many_classes_are_counted_and_left_to_the_file() -> None:
    text = printed(report_of(31))
    assert "class 29" in text
    assert "class 30" not in text
    assert "and 1 more classes in report.json" in text
    assert "confusion matrix of 31 classes: in report.json" in text
    assert "true ↓ predicted →" in printed(report_of(30), width=240)


@pytest.mark.parametrize("width", [20, 60, 80, 100, 240])
@pytest.mark.parametrize("classes", [3, 10, 14, 30])
def test_the_matrix_is_whole_or_pointed_to(classes: int, width: int) -> None:
    text = printed(report_of(classes), width)
    assert all(len(line) <= width for line in text.splitlines())
    if "true ↓ predicted →" not in text:
        assert f"matrix of {classes} classes" in " ".join(text.split())
        return
    lines = text[text.index("true ↓ predicted →") :].splitlines()[2:]
    for number in range(classes):
        cells = ["1" if other == number else "·" for other in range(classes)]
        assert lines[number].split() == ["class", str(number), *cells]


def test_the_matrix_of_ten_named_classes_fits_a_narrow_terminal() -> None:
    names = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]
    text = printed(report_of(10, names), width=80)
    assert "T-s… " in text
    assert "T-shirt/top " in text


def test_names_from_data_are_shown_and_not_obeyed() -> None:
    predictions = Predictions(np.eye(3), np.array([0, 0, 2]), np.arange(3), probabilities=True)
    names = ["[bold]a[/bold]", "b\x1b[31m", ""]
    report = evaluate(predictions, task="multiclass", class_names=names, split="test", intervals=False)
    text = printed(report)
    assert "\x1b" not in text
    assert "[bold]a[/bold]" in text
    assert "b␛[31m" in text
    assert "∅" in text


def test_an_undefined_metric_says_why() -> None:
    predictions = Predictions(np.eye(3)[:2], np.array([0, 1]), np.arange(2), probabilities=True)
    report = evaluate(
        predictions, task="multiclass", class_names=["a", "b", "c"], split="test", intervals=False
    )
    text = printed(report)
    assert "ROC AUC (macro): " in text
    assert "ROC AUC (macro) – " in " ".join(text.split())


def test_a_damaged_report_does_not_hide_how_the_run_stands(tmp_path: Any) -> None:
    run = create_run(tmp_path / "a\x1b[31m", TrainConfig())
    folder = run.evaluation_folder("test")
    folder.mkdir(parents=True)
    (folder / "report.json").write_text("{")
    log = EventLog(run)
    MediaStore(run, log.write, 10).keep("a\x1bb", Text("x"), step=1, epoch=0, done=1)
    MediaStore(run, log.write, 10).keep("a\x1bb", Text("x"), step=9, epoch=0, done=9)
    out = io.StringIO()
    print_summary(RunSummary(run, "failed", error="two\nlines"), Console(file=out, width=80))
    text = out.getvalue()
    assert "failed: 0 epochs" in text
    assert "two⏎lines" in text
    assert "media   a␛b: 2 texts, steps 1 to 9, media/000002-a-b.txt" in text
    assert "\x1b" not in text
    assert f"a␛[31m/{run.id}" in text


def test_lost_weights_are_told_at_the_end(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = create_run(tmp_path, TrainConfig())
    EventLog(run).write(RunFinished(status="completed"))
    PlainView().finish(run)
    assert LOST in capsys.readouterr().out
    run.checkpoint_file("best").parent.mkdir(exist_ok=True)
    run.checkpoint_file("best").touch()
    PlainView().finish(run)
    assert LOST not in capsys.readouterr().out


def test_downloads_are_told_once_a_file_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    view = PlainView()
    for what in ("downloading train-images", "downloading train-labels"):
        for done in (0, 50, 100):
            view.preparing(what, done, 100)
    assert capsys.readouterr().out == "downloading train-images\ndownloading train-labels\n"


def test_downloads_have_a_bar_each_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    view = ProgressView()
    for what in ("downloading train-images", "downloading train-labels"):
        for done in (0, 500, 1000):
            view.preparing(what, done, 1000)
    view.begin(Run(tmp_path / "a-run"))
    view.close()
    out = capsys.readouterr().out
    assert "downloading train-images" in out
    assert "downloading train-labels" in out
    assert "100%" in out
    assert len(view.preparations.tasks) == 2
    assert out.rindex("\x1b[?25h") > out.rindex("\x1b[?25l"), "the cursor is back"
