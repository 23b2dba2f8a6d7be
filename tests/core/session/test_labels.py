"""A run of several labels a sample: its thresholds, new samples, and what is resumed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score

from core.config import schema as configuration
from core.control import RunControl
from core.evaluation.predictions import Predictions
from core.events import EpochFinished, Event
from core.inference.stored import chosen_thresholds, load_evaluation
from core.runs.folder import Run
from core.session import session
from core.session.evaluation import decision_thresholds, score_inputs, trained_model
from core.session.resume import resume_state
from tests.support.narrow import instance

TRAINING = {"device": "cpu", "threads": 1, "epochs": 3, "batch_size": 32}


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    inputs, targets = make_multilabel_classification(300, 8, n_classes=4, random_state=0)
    names = np.array(["a", "b", "c", "d"])
    np.savez(tmp_path / "t.npz", x=inputs.astype(np.float32), y=targets, class_names=names)
    return tmp_path / "t.npz"


def prepare(file: Path, **sections: Any) -> session.Prepared:
    given = {"data": {"name": "arrays", "path": str(file)}, "training": TRAINING, **sections}
    return session.prepare(configuration.from_dict(given), None, lambda what, done, total: None)


def train(file: Path, **sections: Any) -> tuple[Run, list[Event]]:
    prepared = prepare(file, **sections)
    run, events = session.new_run(prepared, file.parent / "runs"), list[Event]()
    session.execute(prepared, run, emit=events.append, control=RunControl())
    return run, events


@pytest.mark.slow
def test_thresholds_are_chosen_on_validation_and_used_everywhere(arrays: Path) -> None:
    run, events = train(arrays, loss={"name": "bce", "pos_weight": "balanced"})
    validation, test = (load_evaluation(run, split) for split in ("validation", "test"))
    chosen = chosen_thresholds(run)
    assert chosen is not None
    assert test.predictions.used_thresholds.tolist() == chosen.tolist()
    assert [row["threshold"] for row in test.report.per_class] == chosen.tolist()
    for label in range(4):
        truth, scores = validation.predictions.targets[:, label], validation.predictions.scores[:, label]
        best = max(f1_score(truth, scores >= at) for at in scores)
        assert validation.report.per_class[label]["f1"] == pytest.approx(best)
    trained = trained_model(run)
    assert decision_thresholds(trained, run)[1] == ""
    rows = test.predictions.indices
    again = score_inputs(trained, instance(torch.Tensor, trained.data.test.inputs))
    np.testing.assert_allclose(again, test.predictions.scores, atol=1e-6)
    assert len(rows) == len(again) == 60
    last = [event for event in events if isinstance(event, EpochFinished)][-1]
    usual = Predictions(
        validation.predictions.scores, validation.predictions.targets, validation.predictions.indices, True
    )
    wanted = f1_score(usual.targets, usual.predicted, average="micro")
    assert last.validation["f1_micro"] == pytest.approx(wanted, abs=1e-6)
    assert {*last.train} == {"loss", "f1_micro"}


@pytest.mark.slow
def test_without_validation_labels_are_given_from_a_half(arrays: Path) -> None:
    run, _ = train(arrays, data={"name": "arrays", "path": str(arrays), "validation": 0})
    assert load_evaluation(run, "test").predictions.thresholds is None
    thresholds, line = decision_thresholds(trained_model(run), run)
    assert thresholds is not None
    assert thresholds.tolist() == [0.5] * 4
    assert line.startswith("labels are given from scores of 0.5")


@pytest.mark.slow
def test_splits_of_their_own_have_the_same_labels(arrays: Path, tmp_path: Path) -> None:
    inputs, targets = make_multilabel_classification(90, 8, n_classes=4, random_state=1)
    parts = {
        f"{kind}_{part}": of[at]
        for part, at in (("train", slice(50)), ("val", slice(50, 70)), ("test", slice(70, 90)))
        for kind, of in (("x", inputs), ("y", targets))
    }
    np.savez(tmp_path / "own.npz", **parts)
    run, _ = train(tmp_path / "own.npz")
    assert load_evaluation(run, "test").report.n == 20
    assert load_evaluation(run, "test").report.class_names == ["label_0", "label_1", "label_2", "label_3"]


@pytest.mark.slow
def test_a_run_that_was_stopped_resumes_bit_for_bit(arrays: Path) -> None:
    whole, _ = train(arrays)
    control = RunControl()

    def stop_after_one(event: Event) -> None:
        if isinstance(event, EpochFinished):
            control.stop()

    prepared = prepare(arrays)
    run = session.new_run(prepared, arrays.parent / "runs")
    session.execute(prepared, run, emit=stop_after_one, control=control)
    state = resume_state(run, prepared.config)
    assert state is not None
    session.execute(prepare(arrays), run, emit=lambda event: None, control=RunControl(), state=state)
    first, second = (load_evaluation(each, "test").predictions for each in (whole, run))
    assert (first.scores == second.scores).all()
    assert (first.predicted == second.predicted).all()
