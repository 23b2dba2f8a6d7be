"""Runs of every kind of samples, targets and network: trained, resumed, evaluated again, predicted, streamed."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import schema as configuration
from core.data.dataset import Dataset, no_progress
from core.export import predict
from core.export.export import export
from core.export.predict_inputs import read
from core.inference.inputs import read_inputs
from core.inference.stored import load_evaluation
from core.session.evaluation import evaluate_run, score_inputs, trained_model
from core.session.preparation import prepare
from core.tasks.registry import task_of
from core.user_code.trust import trust
from tests.contracts.test_combinations import OWN_TRAINING, SMALL
from tests.contracts.test_every_combination import FITTING, NET, OWN_LOSSES, TAKEN_BY
from tests.support.every_kind import KINDS, TARGETS, fields_of
from tests.support.fixtures import TrainRun
from tests.support.pairs import covering

LARGE = {"timm", "zoo"}
"""Networks that take long, and come with few kinds of targets."""
COMBINATIONS = [
    (kind, targets, model)
    for kind, targets in itertools.product(KINDS, TARGETS)
    if targets != "pixels" or kind == "image"
    for model in sorted({"unet", "python"} if targets == "pixels" else {*TAKEN_BY[kind], "python"})
    if model not in LARGE or targets in ("labels", "numbers")
]
CHOSEN = covering(COMBINATIONS)


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "targets", "model"), CHOSEN)
def test_runs_are_resumed_evaluated_and_predict_what_they_did(
    kind: str, targets: str, model: str, train_run: TrainRun, tmp_path: Path
) -> None:
    trust(NET)
    trust(OWN_TRAINING)
    losses = sorted(FITTING[targets])
    loss: dict[str, Any] = {"name": losses[CHOSEN.index((kind, targets, model)) % len(losses)]}
    if loss["name"] == "python":
        loss["path"] = OWN_LOSSES.get(targets, f"{OWN_TRAINING}:huber_of_classes")
    network: dict[str, Any] = {"name": model, **SMALL.get(model, {})}
    if model == "python":
        network |= {"path": f"{NET}:Net", "arguments": {"maps": targets == "pixels"}}
    data = fields_of(kind, targets, tmp_path) | {"validation": 0.25, "test": 0.25}
    training = {"epochs": 1, "batch_size": 5}
    first = train_run({"data": data, "model": network, "loss": loss, "training": training})
    assert first.finished.status == "completed", first.finished.error
    run = train_run({"training": {"epochs": 2}}, run=first.run).run
    stored = load_evaluation(run, "test")
    shutil.rmtree(run.evaluation_folder("test"))
    again = evaluate_run(run, "test")
    assert again.report.metrics == pytest.approx(stored.report.metrics, nan_ok=True, abs=1e-6)
    trained = trained_model(run, samples=False)
    given = read_inputs(_new_samples(Path(data["path"]), trained.data, tmp_path), trained.data)
    scores = score_inputs(trained, given.inputs)[stored.predictions.indices]
    if task_of(trained.data.task).places(trained.data.sample_shape):
        scores = scores.argmax(axis=1)
    assert np.allclose(scores, stored.predictions.scores, rtol=1e-4, atol=1e-5)


def _new_samples(path: Path, data: Dataset, folder: Path) -> Path:
    """Return the file of new samples: the one that was trained on, without its targets."""
    if path.suffix == ".csv":
        return path
    with np.load(path) as held:
        inputs = {name: values for name, values in held.items() if name != "y"}
        if [*inputs] == ["x", "x_offsets"]:
            inputs = {name.replace("x", "inputs"): values for name, values in inputs.items()}
        np.savez(folder / "new.npz", **inputs)
    return folder / "new.npz"


OWN_DATASET = """
import numpy as np
from torch.utils.data import Dataset

HELD = np.load({path!r})


class Samples(Dataset):
    def __len__(self):
        return len(HELD["y"])

    def __getitem__(self, at):
        return HELD["x"][at], HELD["y"][at]


def make():
    return Samples()
"""
STREAMED = [
    ("table", "classes"),
    ("table", "labels"),
    ("table", "numbers"),
    ("image", "two classes"),
    ("signal", "number"),
    ("tokens", "classes"),
    ("other", "labels"),
    ("image", "pixels"),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "targets"), STREAMED)
def test_streamed_and_resident_runs_end_alike(
    kind: str, targets: str, train_run: TrainRun, tmp_path: Path
) -> None:
    trust(NET)
    data = own_dataset(kind, targets, tmp_path)
    own = {"name": "python", "path": f"{NET}:Net"}
    network = {"name": "unet", "depth": 1, "width": 2} if targets == "pixels" else own
    values = {"model": network, "training": {"epochs": 2, "batch_size": 5}}
    resident, streamed = (
        train_run(values | {"data": data | {"feed": feed, "workers": 0}}) for feed in ("resident", "stream")
    )
    for name, weight in resident.weights().items():
        assert weight.equal(streamed.weights()[name]), name
    reports = [load_evaluation(each.run, "test").report.metrics for each in (resident, streamed)]
    assert reports[0] == pytest.approx(reports[1], nan_ok=True)


def own_dataset(kind: str, targets: str, folder: Path) -> dict[str, Any]:
    """Write a function that returns a `Dataset` of such samples; return the fields that name it."""
    fields, file = fields_of(kind, targets, folder), folder / "mine.py"
    file.write_text(OWN_DATASET.format(path=fields["path"]))
    trust(file)
    return {"name": f"{file}:make", "task": fields["task"], "shape": fields["shape"], "validation": 0.25}


EXPORTED = [
    ("table", "labels", "mlp"),
    ("image", "pixels", "unet"),
    ("signal", "numbers", "cnn1d"),
    ("tokens", "numbers", "transformer_small"),
    ("text", "labels", "gru"),
    ("text beside", "numbers", "text_bag"),
    ("sequences", "labels", "cnn1d"),
    ("sequences", "numbers", "gru"),
    ("sequences", "classes", "transformer_small"),
    ("token sequences", "labels", "text_bag"),
    ("several", "labels", "python"),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "targets", "model"), EXPORTED)
def test_exported_models_answer_as_the_run_does(
    kind: str, targets: str, model: str, train_run: TrainRun, tmp_path: Path
) -> None:
    """An exported model with its preprocessing inside reads a file and answers."""
    trust(NET)
    data = fields_of(kind, targets, tmp_path) | {"validation": 0.25}
    network: dict[str, Any] = {"name": model, **SMALL.get(model, {})}
    network |= {"path": f"{NET}:Net"} if model == "python" else {}
    training = {"epochs": 1, "batch_size": 5}
    run = train_run({"data": data, "model": network, "training": training}).run
    export(run, "pt2", tmp_path / "exported", data_root=None, progress=no_progress)
    trained = trained_model(run, samples=False)
    file = _new_samples(Path(data["path"]), trained.data, tmp_path)
    own = score_inputs(trained, read_inputs(file, trained.data).inputs)
    facts, answer = predict.load(tmp_path / "exported" / "model.pt2")
    assert np.allclose(answer(*read(file, facts)), own, rtol=1e-4, atol=1e-5)


def test_a_network_of_ones_own_is_tried_on_a_part_of_many_masks(tmp_path: Path) -> None:
    """The trial before a run evaluates a few samples: what a task measures of a whole split is left out."""
    trust(NET)
    data = fields_of("image", "pixels", tmp_path) | {"validation": 0.5}
    network = {"name": "python", "path": f"{NET}:Net", "arguments": {"maps": True}}
    training = {"epochs": 1, "batch_size": 3, "device": "cpu", "threads": 1}
    config = configuration.from_dict({"data": data, "model": network, "training": training})
    prepared = prepare(config, None, no_progress)
    assert prepared.notices
