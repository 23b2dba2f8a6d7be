"""Exported models answer as the run's own: in the tool they are for, and without any of our code."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import DependencyError, InputError, ModelError
from core.evaluation import Predictions
from core.export import predict
from core.export.export import Exported, export
from core.export.formats import FormatConfig
from core.export.onnx import Onnx
from core.export.options import largest_difference
from core.inference.inputs import read_inputs
from core.inference.stored import saved_evaluation
from core.options import choices
from core.runs.data_facts import known_data
from core.runs.folder import Run
from core.session.evaluation import score_inputs, trained_model
from tests.support.fixtures import LoadData, TrainRun, WriteRun
from tests.support.killed import die, in_a_killed_process
from tests.support.narrow import instance, some

ROWS = 120


def quietly(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def written(run: Run, to: str, folder: Path, root: Path | None = None) -> Exported:
    return export(run, to, folder, data_root=root, progress=quietly)


def predicted(folder: Path, inputs: Path) -> list[list[str]]:
    """The rows that ``predict.py`` prints."""
    answer = run_predict(folder, inputs)
    assert answer.returncode == 0, answer.stderr
    return list(csv.reader(io.StringIO(answer.stdout)))


def run_predict(
    folder: Path, inputs: Path, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run ``predict.py`` in a clean interpreter that knows nothing of this product."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    code = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    hidden = "import sys; sys.modules['core'] = sys.modules['tui'] = None; "
    return subprocess.run(
        [sys.executable, "-I", "-c", hidden + code, str(folder / "predict.py"), str(inputs)],
        cwd=folder.parent,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def validation_of(run: Run, load_data: LoadData) -> tuple[torch.Tensor, Predictions]:
    """Raw inputs of the validation split, and what the run said about them."""
    config = run.config().data
    data = load_data(config.name)
    return instance(torch.Tensor, data.validation.inputs), some(
        saved_evaluation(run, "validation")
    ).predictions


@pytest.mark.slow
def test_onnx_takes_raw_images_in_batches_of_any_size(
    train_run: TrainRun, load_data: LoadData, tmp_path: Path
) -> None:
    run = train_run({"data": "digits", "model": {"name": "cnn", "channels": [2, 2]}}).run
    done = written(run, "onnx", tmp_path / "out")
    assert done.files == ("model.onnx", "predict.py")
    assert some(done.difference) < 1e-4
    inputs, known = validation_of(run, load_data)
    facts, answer = predict.load(tmp_path / "out" / "model.onnx")
    assert facts["class_names"] == [str(digit) for digit in range(10)]
    for count in (1, 3, len(inputs)):
        scores = answer(inputs[:count].float().numpy())
        assert scores == pytest.approx(known.scores[:count], abs=1e-4)
    np.save(tmp_path / "raw.npy", inputs.numpy())
    head, *rows = predicted(tmp_path / "out", tmp_path / "raw.npy")
    assert head == ["class", *(f"score_{digit}" for digit in range(10))]
    assert [int(row[0]) for row in rows] == known.predicted.tolist()
    assert np.array(rows, dtype=float)[:, 1:] == pytest.approx(known.scores, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("depth", ["8 bits", "12 bits", "floats"])
def test_pictures_are_read_as_the_run_reads_them(depth: str, train_run: TrainRun, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 9, 13)).astype(np.uint8)
    depths: dict[str, np.ndarray] = {
        "8 bits": images,
        "12 bits": images.astype(np.uint16) * 16,
        "floats": images / np.float32(255),
    }
    scaled = depths[depth]
    for at, image in enumerate(scaled):
        folder = tmp_path / "photos" / "ab"[at % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{at:02}.tif")
    data = {"name": "image_folder", "path": str(tmp_path / "photos"), "size": 6}
    run = train_run({"data": data, "training": {"epochs": 1, "batch_size": 8}}).run
    written(run, "onnx", tmp_path / "out")
    new = tmp_path / "new"
    new.mkdir()
    Image.fromarray(scaled[3]).save(new / "b.tif")
    Image.fromarray(images[4]).convert("RGBA").save(new / "a.png")
    head, *rows = predicted(tmp_path / "out", new)
    known = known_data(run)
    assert known is not None
    scores = score_inputs(trained_model(run, samples=False), read_inputs(new, known).inputs)
    assert head == ["file", "class", "score_a", "score_b"]
    assert [row[0] for row in rows] == ["a.png", "b.tif"]
    np.testing.assert_allclose(
        [[float(cell) for cell in row[2:]] for row in rows], scores, rtol=1e-4, atol=1e-5
    )
    head, row = predicted(tmp_path / "out", new / "b.tif")
    assert row == rows[1][1:]


@pytest.mark.slow
def test_predict_names_a_file_that_it_cannot_read(train_run: TrainRun, tmp_path: Path) -> None:
    written(train_run({"data": "iris", "model": "mlp"}).run, "onnx", tmp_path / "out")
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    (tmp_path / "text.npy").write_text("no array")
    np.savez(tmp_path / "other.npz", a=np.zeros(4), b=np.zeros(4))
    for name in ("missing.npy", "text.npy", "other.npz", "text.csv"):
        answer = run_predict(tmp_path / "out", tmp_path / name)
        assert answer.returncode == 1
        assert len(answer.stderr.splitlines()) == 1, answer.stderr
        assert name in answer.stderr or "no column" in answer.stderr


@pytest.mark.heavy
def test_pt2_gives_numbers_in_the_unit_of_the_target(
    train_run: TrainRun, load_data: LoadData, tmp_path: Path
) -> None:
    run = train_run({"data": "diabetes", "model": "mlp"}).run
    assert written(run, "pt2", tmp_path / "out").files == ("model.pt2", "predict.py")
    inputs, known = validation_of(run, load_data)
    np.savez(tmp_path / "raw.npz", inputs=inputs.numpy())
    head, *rows = predicted(tmp_path / "out", tmp_path / "raw.npz")
    assert head == ["prediction"]
    assert [float(row[0]) for row in rows] == pytest.approx(known.scores.tolist(), rel=1e-4)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A table of numbers with gaps, texts and dates, and something to learn."""
    random = np.random.default_rng(0)
    path = tmp_path / "flowers.csv"
    with path.open("w") as file:
        file.write("size,colour,seen,kind\n")
        for row in range(ROWS):
            kind, size = (
                ("rose", "tulip")[row % 2],
                "" if row % 17 == 0 else f"{row % 2 + random.normal(0, 0.3):.3f}",
            )
            file.write(f"{size},{('red', 'blue', 'white')[row % 3]},2024-{1 + row % 12:02}-05,{kind}\n")
    return path


@pytest.mark.heavy
def test_a_table_becomes_features_without_our_code(
    train_run: TrainRun, flowers: Path, tmp_path: Path
) -> None:
    run = train_run({"data": {"name": "csv", "path": str(flowers), "target": "kind"}}).run
    written(run, "pt2", tmp_path / "out")
    known = some(saved_evaluation(run, "validation")).predictions
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as unread:
        ended = run_predict(tmp_path / "out", flowers, unread)
    assert (ended.returncode, ended.stderr) == (141, "")
    head, *rows = predicted(tmp_path / "out", flowers)
    assert head == ["class", "score_rose", "score_tulip"]
    assert len(rows) == ROWS
    scores = np.array([row[1:] for row in rows], dtype=float)[known.indices]
    assert scores == pytest.approx(known.scores, abs=1e-4)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "head", "style", "options"),
    [
        ("a.csv", "size; colour;seen ;kind", {"separator": ";", "decimal": ","}, {}),
        ("a.csv", "größe|colour|seen|kind", {"separator": "|", "encoding": "cp1252"}, {"encoding": "cp1252"}),
        ("a.TSV", "a;b;c;d;e\tcolour\tseen\tkind", {"separator": "\t"}, {}),
        ("a.csv", "", {}, {"header": False, "target": "column_4"}),
    ],
)
def test_a_table_is_read_as_the_training_read_it(
    train_run: TrainRun,
    flowers: Path,
    tmp_path: Path,
    name: str,
    head: str,
    style: dict[str, Any],
    options: dict[str, Any],
) -> None:
    decimal, separator = style.get("decimal", "."), style.get("separator", ",")
    rows = flowers.read_text().replace("white", "weiß").replace(".", decimal).splitlines()[1:]
    lines = [separator.join(row.rsplit(",", 3)) for row in rows]
    path = tmp_path / name
    text = "\n".join([head, *lines] if head else lines)
    path.write_bytes(f"{text}\n".encode(style.get("encoding", "utf-8")))
    run = train_run({"data": {"name": "csv", "path": str(path), "target": "kind", **options}}).run
    written(run, "pt2", tmp_path / "out")
    known = some(saved_evaluation(run, "validation")).predictions
    _, *answers = predicted(tmp_path / "out", path)
    assert len(answers) == ROWS
    scores = np.array([row[1:] for row in answers], dtype=float)[known.indices]
    assert scores == pytest.approx(known.scores, abs=1e-4)
    ours = score_inputs(trained_model(run, samples=False), read_inputs(path, some(known_data(run))).inputs)
    assert scores == pytest.approx(ours[known.indices], abs=1e-4)


def test_safetensors_hold_weights_preprocessing_and_facts(train_run: TrainRun, tmp_path: Path) -> None:
    from safetensors import safe_open

    run = train_run({"data": "iris", "model": "mlp"}).run
    assert written(run, "safetensors", tmp_path / "out").difference == 0
    with safe_open(tmp_path / "out" / "model.safetensors", "pt") as file:
        metadata, names = file.metadata(), set(file.keys())
        assert file.get_tensor("mean").shape == (4,)
    assert {"mean", "std"} < names
    assert json.loads(metadata["torchtui"])["class_names"] == ["setosa", "versicolor", "virginica"]
    assert "name: iris" in metadata["config"]


def test_csv_holds_epochs_metrics_and_predictions(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run("a", [0.9, 0.4], accuracy=0.9)
    done = written(run, "csv", tmp_path / "out")
    assert done.files == ("epochs.csv", "metrics_validation.csv", "predictions_validation.csv")
    assert done.difference is None
    epochs = list(csv.DictReader((tmp_path / "out" / "epochs.csv").open()))
    assert [(row["epoch"], row["validation_loss"], row["train_loss"]) for row in epochs] == [
        ("1", "0.9", "0.45"),
        ("2", "0.4", "0.2"),
    ]
    metrics = {
        row["metric"]: row for row in csv.DictReader((tmp_path / "out" / "metrics_validation.csv").open())
    }
    assert float(metrics["accuracy"]["low_95"]) < float(metrics["accuracy"]["value"]) == 130 / 144
    assert sum(1 for _ in (tmp_path / "out" / "predictions_validation.csv").open()) == 145


def test_what_a_killed_export_left_is_removed(
    write_run: WriteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("a", [0.9, 0.4], accuracy=0.9)
    own = tmp_path / ".out.01234567"
    own.mkdir()
    (own / "thesis.tex").touch()
    with monkeypatch.context() as killed:
        killed.setattr("core.export.export.as_usual", die)
        in_a_killed_process(lambda: written(run, "csv", tmp_path / "out"))
    assert len(list(tmp_path.glob(".out.*"))) == 2
    done = written(run, "csv", tmp_path / "out")
    assert set(done.files) == {path.name for path in (tmp_path / "out").iterdir()}
    assert [path.name for path in tmp_path.glob(".out.*")] == [own.name], "the user's own stays"


@pytest.mark.slow
def test_a_model_that_answers_otherwise_is_not_written(
    train_run: TrainRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_run({"data": "iris", "model": "mlp"}).run
    monkeypatch.setattr(
        "core.export.network.score_inputs", lambda trained, inputs: 1 - score_inputs(trained, inputs)
    )
    with pytest.raises(ModelError, match="differ from the original"):
        written(run, "pt2", tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_what_is_missing_or_in_the_way_is_said(
    write_run: WriteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("a", [0.9])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InputError, match="already exists"):
        written(run, "csv", tmp_path / "full")
    with pytest.raises(InputError, match="folder not found"):
        written(run, "csv", tmp_path / "no" / "where")
    with pytest.raises(InputError, match="Takes onnx, pt2, safetensors, csv"):
        written(run, "tflite", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(DependencyError, match=r"torchtui\[safetensors\]"):
        written(run, "safetensors", tmp_path / "out")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    program: Any = None  # it is not looked at
    with pytest.raises(DependencyError, match=r"torchtui\[onnx\]"):
        Onnx().save(program, tmp_path / "model.onnx", {})
    assert not (tmp_path / "out").exists()


def test_small_differences_are_told_and_large_ones_refused() -> None:
    own = np.array([[0.5, 0.5], [0.9, 0.1]])
    assert largest_difference(own + 5e-5, own) == pytest.approx(5e-5)
    with pytest.raises(ModelError, match=r"0\.01"):
        largest_difference(own + 0.01, own)
    with pytest.raises(ModelError, match="shape"):
        largest_difference(own[:1], own)
    with pytest.raises(ModelError):
        largest_difference(own * np.nan, own)


def test_every_format_is_a_choice_of_the_command() -> None:
    import typing

    from tui.cli.commands.export import export as command

    annotation = typing.get_type_hints(command)["to"]
    assert typing.get_args(annotation) == tuple(choices(FormatConfig))
