"""`tui evaluate` and `tui predict`: tables, JSON, CSV, plots that fit a log file, and clear refusals."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.evaluation import Predictions
from core.runs.folder import Run, find_run
from core.session import evaluation

Tui = Callable[..., Any]


def latest() -> Run:
    return find_run(Path("runs"), "latest")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def predictions(run: Run, split: str = "test") -> Predictions:
    return Predictions.load(run.evaluation_folder(split) / "predictions.npz")


def printable(text: str) -> bool:
    return all(character.isprintable() for character in text.replace("\n", ""))


@pytest.mark.slow
def test_the_report_is_that_of_the_split_asked_for(train: Tui, tui: Tui) -> None:
    train("--quiet")
    shutil.rmtree(latest().path / "evaluation")
    answer = tui("evaluate latest --split validation")
    assert (answer.code, answer.err) == (0, "")
    assert "validation: 12 samples" in answer.out
    for text in ("accuracy", "95 % interval", "baseline: always", "versicolor", "true ↓ predicted →"):
        assert text in answer.out
    assert (latest().evaluation_folder("validation") / "report.json").is_file()
    assert not latest().evaluation_folder("test").exists()


def test_json_is_one_object_with_the_whole_report(train: Tui, tui: Tui) -> None:
    train("--quiet")
    answer = tui(f"evaluate {latest().id} --json")
    found = json.loads(answer.out)
    assert (found["v"], found["run"], found["split"], found["n"]) == (1, latest().id, "test", 30)
    assert found["metrics"]["accuracy"] == np.mean(
        predictions(latest()).predicted == predictions(latest()).targets
    )
    assert answer.out.count("\n") == 1


@pytest.mark.slow
def test_the_gpu_that_was_chosen_is_reported_beside_the_result(
    train: Tui, tui: Tui, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("--quiet")
    shutil.rmtree(latest().path / "evaluation")
    asked: list[str] = []

    def choose(name: str) -> tuple[str, str]:
        asked.append(name)
        return "cpu", "device cuda:1 is GPU 1 (A100): not in use"

    monkeypatch.setattr(evaluation, "gpu_to_evaluate", choose)
    told = "device cuda:1 is GPU 1 (A100): not in use. CUDA_VISIBLE_DEVICES names another one\n"
    for line in (
        "evaluate latest --split validation --json",
        "explain latest --json",
        "calibrate latest --json",
    ):
        answer = tui(line)
        assert (answer.code, answer.err) == (0, told if asked else ""), line
        json.loads(answer.out)
        asked.clear()


@pytest.mark.slow
def test_csv_holds_every_sample(train: Tui, tui: Tui) -> None:
    train("--quiet")
    assert tui("evaluate latest --csv out.csv").code == 0
    rows, saved = rows_of(Path("out.csv").read_text()), predictions(latest())
    names = ["setosa", "versicolor", "virginica"]
    assert list(rows[0]) == ["index", "target", "predicted", *(f"score_{name}" for name in names)]
    assert [int(row["index"]) for row in rows] == saved.indices.tolist()
    assert [names.index(row["target"]) for row in rows] == saved.targets.tolist()
    assert [names.index(row["predicted"]) for row in rows] == saved.predicted.tolist()
    scores = [[float(row[f"score_{name}"]) for name in names] for row in rows]
    np.testing.assert_array_equal(np.array(scores, dtype=np.float32), saved.scores)


@pytest.mark.slow
def test_csv_of_a_regression_holds_numbers(tui: Tui) -> None:
    tui("train --no-ui --quiet --data diabetes --model mlp --epochs 2 --device cpu")
    tui("evaluate latest --csv out.csv")
    rows, saved = rows_of(Path("out.csv").read_text()), predictions(latest())
    assert [float(row["target"]) for row in rows] == saved.targets.tolist()
    assert [float(row["predicted"]) for row in rows] == saved.scores.tolist()


@pytest.mark.slow
def test_plots_are_plain_text_that_tells_lines_apart(train: Tui, tui: Tui) -> None:
    train("--quiet")
    answer = tui("evaluate latest --plots")
    assert "ROC, one-vs-rest: true positive rate against false positive rate" in answer.out
    assert "PR, one-vs-rest: precision against recall" in answer.out
    assert printable(answer.out)
    assert max(map(len, answer.out.splitlines())) <= 80
    roc = answer.out.partition("ROC, one-vs-rest")[2].partition("PR, one-vs-rest")[0].splitlines()
    legend, chart = roc[1], "\n".join(roc[2:])
    for marker in ("• ", "+ micro", "o macro"):
        assert marker in legend
    assert {"•", "┤", "┬"} <= set(chart)


@pytest.mark.slow
def test_plots_of_a_regression_say_that_there_are_none(tui: Tui) -> None:
    tui("train --no-ui --quiet --data diabetes --model mlp --epochs 2 --device cpu")
    assert (
        "no ROC and precision-recall curves: the run predicts no classes"
        in tui("evaluate latest --plots").out
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("evaluate latest", "there are no runs in runs"),
        ("evaluate nothing", "no run 'nothing'"),
        ("watch nothing.csv", "there is no file nothing.csv, and no run is called so"),
        ("watch nothing", "no run 'nothing'"),
        ("predict nothing x.csv", "no run 'nothing'"),
    ],
)
def test_runs_that_are_not_there(tui: Tui, line: str, message: str) -> None:
    answer = tui(line)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_named(train: Tui, tui: Tui) -> None:
    train("--quiet")
    answer = tui("evaluate latest --csv no/such/folder.csv")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "cannot write no/such/folder.csv: No such file or directory" in answer.err


@pytest.mark.slow
def test_predictions_go_to_standard_output_or_to_a_file(train: Tui, tui: Tui) -> None:
    train("--quiet")
    Path("new.csv").write_text("id,a,b,c,d\nsmall,5.1,3.5,1.4,0.2\nlarge,7.7,3.0,6.1,2.3\n")
    answer = tui("predict latest new.csv")
    assert (answer.code, answer.err) == (0, "")
    rows = rows_of(answer.out)
    assert list(rows[0]) == ["id", "class", "score_setosa", "score_versicolor", "score_virginica"]
    assert [row["id"] for row in rows] == ["small", "large"]
    for row in rows:
        scores = {name.removeprefix("score_"): float(row[name]) for name in list(row)[2:]}
        assert row["class"] == max(scores, key=scores.__getitem__)
        assert sum(scores.values()) == pytest.approx(1, abs=1e-6)
    assert tui("predict latest new.csv --csv out.csv").out == ""
    assert Path("out.csv").read_text() == answer.out


def test_predictions_of_a_regression_are_numbers(tui: Tui) -> None:
    tui("train --no-ui --quiet --data diabetes --model mlp --epochs 2 --device cpu")
    np.savez("new.npz", inputs=np.zeros((2, 10)))
    rows = rows_of(tui("predict latest new.npz").out)
    assert list(rows[0]) == ["id", "prediction"]
    assert 50 < float(rows[0]["prediction"]) < 250


def test_input_that_does_not_fit_is_refused_in_one_line(train: Tui, tui: Tui) -> None:
    train("--quiet")
    Path("new.csv").write_text("a,b\n1,2\n")
    answer = tui("predict latest new.csv")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "new.csv has 2 columns and lacks sepal length (cm)" in answer.err


@pytest.mark.slow
def test_predict_takes_rows_of_a_file_and_tells_what_it_did(tui: Callable[..., Any]) -> None:
    rows = [f"{at},{at % 5},{'ab'[at // 20 % 2]}" for at in range(80)]
    Path("my.csv").write_text("\n".join(["height,size,kind", *rows]))
    assert tui("train --no-ui --data my.csv --epochs 2 --device cpu --threads 1 --quiet").code == 0
    Path("my.csv").unlink()
    Path("new.csv").write_text("kind,size,id,height\na,,one,3\nb,2,two,70\n")
    answer = tui("predict latest new.csv")
    assert answer.code == 0
    assert [line.partition(",")[0] for line in answer.out.splitlines()] == ["id", "one", "two"]
    assert "filled missing values with the median of the training rows: size 1" in answer.err
    Path("new.csv").write_text("size,hight\n1,2\n")
    answer = tui("predict latest new.csv")
    assert (answer.code, answer.out) == (2, "")
    assert "new.csv lacks height. There is 'hight'" in answer.err


@pytest.mark.slow
def test_columns_that_name_the_rows_stand_beside_the_predictions(tui: Tui) -> None:
    rows = [f"{at},{at % 5},{'ab'[at // 20 % 2]},C-{1000 + 7 * at}" for at in range(80)]
    Path("my.csv").write_text("\n".join(["height,size,kind,customer", *rows]))
    assert tui("train --no-ui --data my.csv --epochs 1 --device cpu --threads 1 --quiet").code == 0
    Path("new.csv").write_text("customer,size,height,shop\nC-7,2,3,west\nC-9,1,70,west\n")
    answer = tui("predict latest new.csv")
    found = rows_of(answer.out)
    assert [*found[0]][:3] == ["id", "customer", "class"]
    assert [row["customer"] for row in found] == ["C-7", "C-9"]
    assert "written beside the predictions, as their values tell the rows apart: customer" in answer.err
    assert "not used: shop" in answer.err
