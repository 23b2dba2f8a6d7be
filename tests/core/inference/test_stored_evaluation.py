"""Evaluations kept in the run's folder, the best weights brought back, and new samples read from files."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.config.schema import from_dict, merge, to_yaml
from core.config.yaml_files import read_yaml
from core.errors import DataError, InputError, RunDamaged
from core.inference.inputs import read_inputs
from core.inference.stored import is_latest, latest_evaluated, saved_evaluation, was_evaluated
from core.runs.folder import Run
from core.session import session
from core.session.evaluation import evaluate_run, score_inputs, trained_model
from tests.support.fixtures import LoadData, TrainRun
from tests.support.narrow import instance, some

IRIS = {"data": "iris", "model": "mlp"}
LATER = 10**9
"""Nanoseconds."""


def forget(run: Run) -> None:
    shutil.rmtree(run.path / "evaluation")


def change(run: Run, values: dict[str, Any]) -> None:
    run.config_file.write_text(to_yaml(from_dict(merge(read_yaml(run.config_file), values))))


def touch(path: Path, later: int) -> None:
    made = path.stat().st_mtime_ns
    os.utime(path, ns=(made + later, made + later))


@pytest.fixture
def refuse_to_predict(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: object) -> None:
        raise AssertionError("predicted although an evaluation was saved")

    return lambda: monkeypatch.setattr(session, "evaluate_split", refuse)


def test_an_evaluation_of_the_best_weights_is_what_training_found(train_run: TrainRun) -> None:
    run = train_run(IRIS).run
    found = evaluate_run(run, "test")
    forget(run)
    anew = evaluate_run(run, "test")
    np.testing.assert_array_equal(anew.predictions.scores, found.predictions.scores)
    np.testing.assert_array_equal(anew.predictions.indices, found.predictions.indices)
    assert anew.report == found.report
    assert (anew.run, anew.split, anew.report.split) == (run, "test", "test")


def test_any_split_is_predicted_once_and_opened_again(
    train_run: TrainRun, refuse_to_predict: Callable[[], None]
) -> None:
    run = train_run(IRIS).run
    assert not was_evaluated(run, "train")
    assert saved_evaluation(run, "train") is None
    told = []
    first = evaluate_run(run, "train", progress=lambda *what: told.append(what))
    assert told == [("loading iris", 0, 0), ("predicting", 0, len(first.predictions))]
    refuse_to_predict()
    again = evaluate_run(run, "train")
    assert again.report == first.report
    assert was_evaluated(run, "train")
    assert is_latest(first)


@pytest.mark.parametrize("damage", ["newer weights", "cut predictions", "no report"])
def test_what_is_outdated_or_damaged_is_made_anew(train_run: TrainRun, damage: str) -> None:
    run = train_run(IRIS).run
    before = evaluate_run(run, "test")
    folder = run.evaluation_folder("test")
    if damage == "newer weights":
        touch(run.checkpoint_file("best"), LATER * 3600)
        assert saved_evaluation(run, "test") is None
        assert not is_latest(before)
        touch(run.checkpoint_file("best"), -LATER * 7200)
    if damage == "no report":
        (folder / "report.json").unlink()
        assert not is_latest(before)
    else:
        (folder / "predictions.npz").write_bytes(b"PK\x03\x04")
    after = evaluate_run(run, "test")
    assert after.report == before.report
    assert some(saved_evaluation(run, "test")).report == before.report


def test_a_run_without_checkpoints_keeps_its_evaluation(
    train_run: TrainRun, refuse_to_predict: Callable[[], None]
) -> None:
    run = train_run(IRIS).run
    shutil.rmtree(run.path / "checkpoints")
    refuse_to_predict()
    assert evaluate_run(run, "test").report.n == 30
    with pytest.raises(RunDamaged, match=r"has no checkpoint best\.pt"):
        evaluate_run(run, "train")


def test_a_split_without_samples_is_refused(train_run: TrainRun) -> None:
    run = train_run({"data": {"name": "iris", "validation": 0}, "model": "mlp"}).run
    with pytest.raises(DataError, match=f"{run.id} has no validation samples"):
        evaluate_run(run, "validation")


def test_weights_that_do_not_fit_the_configuration_name_both_files(train_run: TrainRun) -> None:
    run = train_run(IRIS).run
    change(run, {"model": {"hidden": [7]}})
    forget(run)
    with pytest.raises(RunDamaged, match=r"best\.pt does not fit the model in config\.yaml") as caught:
        evaluate_run(run, "test")
    assert "\n" not in str(caught.value)


def test_a_run_of_another_machine_is_evaluated_on_a_device_that_is_here(train_run: TrainRun) -> None:
    run = train_run(IRIS).run
    change(run, {"training": {"device": "cuda:77"}})
    assert trained_model(run).device.type in ("cpu", "cuda", "mps")


@pytest.mark.slow
def test_the_latest_evaluated_run_is_found(train_run: TrainRun, tmp_path: Path) -> None:
    assert latest_evaluated(tmp_path / "runs") is None
    first, second = train_run(IRIS).run, train_run(IRIS).run
    for run in (first, second):
        forget(run)
    assert latest_evaluated(tmp_path / "runs") is None
    evaluate_run(second, "validation")
    evaluate_run(first, "validation")
    touch(second.evaluation_folder("validation") / "report.json", LATER * 60)
    assert latest_evaluated(tmp_path / "runs") == second


# ---- new samples


@pytest.mark.parametrize("data", ["digits", "diabetes"])
def test_known_samples_get_the_scores_they_had(train_run: TrainRun, data: str) -> None:
    run = train_run({"data": data}).run
    trained = trained_model(run)
    scores = score_inputs(trained, instance(torch.Tensor, trained.data.test.inputs))
    expected = evaluate_run(run, "test").predictions.scores
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert scores.shape == expected.shape


def test_arrays_come_as_they_are(load_data: LoadData, tmp_path: Path) -> None:
    digits = load_data("digits")
    images = digits.test.inputs[:3].numpy()
    np.savez(tmp_path / "with.npz", inputs=images)
    np.save(tmp_path / "without.npy", images[:, 0])
    for name in ("with.npz", "without.npy"):
        samples = read_inputs(tmp_path / name, digits)
        assert samples.ids == ["0", "1", "2"]
        assert samples.inputs.dtype == torch.uint8
        assert torch.equal(samples.inputs, digits.test.inputs[:3])


def test_columns_are_found_by_name_or_else_by_position(load_data: LoadData, tmp_path: Path) -> None:
    iris = load_data("iris")
    rows = iris.test.inputs[:3].tolist()
    names = list(iris.feature_names)
    by_name, by_place = tmp_path / "name.csv", tmp_path / "place.csv"
    lines = [
        ",".join(["note", *names[::-1], "id"]),
        *(f"x,{a},{b},{c},{d},flower" for d, c, b, a in rows),
        "",
    ]
    by_name.write_text("\ufeff" + "\n".join(lines))
    by_place.write_text("\n".join(["a,b,id,c,d", *(f"{a},{b},n{a},{c},{d}" for a, b, c, d in rows)]))
    named, placed = read_inputs(by_name, iris), read_inputs(by_place, iris)
    assert named.ids == ["flower"] * 3
    assert placed.ids == [f"n{row[0]}" for row in rows]
    for samples in (named, placed):
        torch.testing.assert_close(samples.inputs, iris.test.inputs[:3])


def test_pictures_of_any_kind_become_what_the_model_takes(load_data: LoadData, tmp_path: Path) -> None:
    digits = load_data("digits")
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    pixels = digits.test.inputs[0][0].numpy() * (255 / 16)
    large = Image.fromarray(pixels.round().astype(np.uint8)).resize((64, 64), Image.Resampling.NEAREST)
    large.save(folder / "b.png")
    large.convert("RGB").save(folder / "more" / "a.bmp")
    (folder / "notes.txt").write_text("no picture")
    samples = read_inputs(folder, digits)
    assert samples.ids == ["b.png", os.path.join("more", "a.bmp")]
    for picture in samples.inputs:
        torch.testing.assert_close(picture, digits.test.inputs[0].float(), atol=0.05, rtol=0)


def not_there(folder: Path) -> tuple[Path, str]:
    return folder / "nothing.npz", "not found"


def without_inputs(folder: Path) -> tuple[Path, str]:
    np.savez(folder / "x.npz", a=np.zeros(3), b=np.zeros(3))
    return folder / "x.npz", "holds a, b, but no array `inputs`"


def no_archive(folder: Path) -> tuple[Path, str]:
    (folder / "x.npz").write_bytes(b"PK\x03\x04 cut")
    return folder / "x.npz", "cannot be read as arrays"


def pickled(folder: Path) -> tuple[Path, str]:
    np.save(folder / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    return folder / "x.npy", "cannot be read as arrays"


def of_another_shape(folder: Path) -> tuple[Path, str]:
    np.save(folder / "x.npy", np.zeros((5, 3)))
    return folder / "x.npy", "inputs have the shape 5x3. The model takes n x 4, as in iris"


def not_a_number(folder: Path) -> tuple[Path, str]:
    np.save(folder / "x.npy", np.array([[0, 0, 0, 0], [0, np.nan, 0, 0]]))
    return folder / "x.npy", "sample 1 holds NaN"


def without_rows(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_text("a,b,c,d\n\n")
    return folder / "x.csv", "holds no samples"


def empty(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_text("")
    return folder / "x.csv", "is empty"


def columns_missing(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_text("a,sepal width (cm)\n1,2\n")
    return folder / "x.csv", "has 2 columns and lacks sepal length (cm), petal length (cm), petal width (cm)"


def cell_missing(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_text("a,b,c,d\n1,2,3,4\n1,2\n")
    return folder / "x.csv", "line 3, c: got ''. It takes a finite number"


def word_for_a_number(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_text("a,b,c,d\n1,2,three,4\n")
    return folder / "x.csv", "line 2, c: got 'three'"


def no_text(folder: Path) -> tuple[Path, str]:
    (folder / "x.csv").write_bytes(b"\xff\xfe\x00")
    return folder / "x.csv", "cannot be read as CSV"


def a_folder(folder: Path) -> tuple[Path, str]:
    return folder, "is a folder, but the model takes rows of a table: 4 features"


@pytest.mark.parametrize(
    "make",
    [
        *(not_there, without_inputs, no_archive, pickled, of_another_shape, not_a_number, without_rows),
        *(empty, columns_missing, cell_missing, word_for_a_number, no_text, a_folder),
    ],
    ids=lambda make: make.__name__,
)
def test_what_does_not_fit_is_named_in_one_line(
    load_data: LoadData, tmp_path: Path, make: Callable[[Path], tuple[Path, str]]
) -> None:
    path, message = make(tmp_path)
    with pytest.raises(InputError) as caught:
        read_inputs(path, load_data("iris"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_models_of_images_refuse_tables_and_broken_pictures(load_data: LoadData, tmp_path: Path) -> None:
    digits = load_data("digits")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="takes images of 1x8x8"):
        read_inputs(tmp_path / "x.csv", digits)
    with pytest.raises(InputError, match="holds no pictures"):
        read_inputs(tmp_path, digits)
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.raises(InputError, match=r"x\.png cannot be read as a picture"):
        read_inputs(tmp_path, digits)
