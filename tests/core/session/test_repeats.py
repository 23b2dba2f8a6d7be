"""Folds of the training data, and how metrics spread over them."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.data.dataset import Dataset
from core.data.registry import load
from core.data.splits import one_fold
from core.errors import DataError
from core.evaluation.intervals.proportions import proportion_intervals
from core.evaluation.predictions import Predictions
from core.events import EpochFinished, EvaluationFinished
from core.interop.writer import RunWriter
from core.runs.creating import create_folder, write_config
from core.runs.folder import Run
from core.runs.origin.together import one_of, together_of
from core.runs.summary import summarise
from core.session.repeats import Repeats, group_of, left, metrics_of, pooled_report, runs_of, seeds_of, spread
from core.tasks.evaluation import evaluate
from tui.runtime.hosts.host import WantedRun
from tui.runtime.repeats import wanted_repeats

Train = Callable[..., Any]
Load = Callable[..., Dataset]
FOLDS = 4
CLASSES = ["a", "b", "c"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "diabetes", "mnist", "moons"])
def test_folds_hold_every_training_sample_once_and_leave_the_test_set_alone(
    name: str, load_data: Load
) -> None:
    whole = load_data(name, validation=0)
    parts = [load_data(name, folds=FOLDS, fold=fold) for fold in range(1, FOLDS + 1)]
    held_out = np.concatenate([data.validation.indices for data in parts])
    assert sorted(held_out.tolist()) == sorted(whole.train.indices.tolist())
    sizes = [len(data.validation) for data in parts]
    assert max(sizes) - min(sizes) <= whole.outputs
    for data in parts:
        assert not set(data.train.indices) & set(data.validation.indices)
        assert data.test.indices.tolist() == whole.test.indices.tolist()
        assert len(data.train) + len(data.validation) == len(whole.train)


def test_classes_have_equal_shares_of_every_fold(load_data: Load) -> None:
    for fold in range(1, FOLDS + 1):
        data = load_data("iris", folds=FOLDS, fold=fold)
        assert np.bincount(data.validation.targets).tolist() == [10, 10, 10]


def test_statistics_come_from_the_folds_that_train(load_data: Load) -> None:
    means = [load_data("wine", folds=2, fold=fold).mean for fold in (1, 2)]
    assert not np.allclose(means[0], means[1])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"folds": 1}, r"data\.folds: got 1, takes at least 2"),
        ({"folds": 3, "fold": 4}, r"data\.fold: got 4, there are 3 folds"),
        ({"folds": 50}, r"data\.folds: a class has only 40 training samples, fewer than 50 folds"),
    ],
)
def test_folds_that_cannot_be_are_refused(fields: dict[str, int], message: str) -> None:
    data = configuration.from_dict({"data": {"name": "iris", **fields}}).data
    with pytest.raises(DataError, match=message):
        load(data, None)


def test_the_rare_class_is_named() -> None:
    targets = np.array([0] * 10 + [1] * 2)
    with pytest.raises(DataError, match="class rare has only 2 training samples"):
        one_fold(targets, 1, 3, task="binary", seed=0, names=("common", "rare"))


def test_a_run_of_a_fold_is_not_evaluated_on_the_test_set(train_run: Train) -> None:
    run = train_run({"data": {"name": "iris", "folds": 3, "fold": 2}, "model": "mlp"})
    assert run.finished.status == "completed"
    assert [event.split for event in run.told(EvaluationFinished)] == ["validation"]
    assert not run.run.evaluation_folder("test").exists()
    measured = metrics_of(summarise(run.run))
    assert measured["accuracy"] == run.told(EvaluationFinished)[0].metrics["accuracy"]
    assert measured["loss"] == summarise(run.run).metrics["loss"]


@pytest.mark.slow
def test_runs_of_the_same_settings_are_found_by_their_fold(train_run: Train, tmp_path: Path) -> None:
    runs = {}
    with RunWriter("script", {"data": {"name": "iris"}}, runs_dir=tmp_path / "runs"):
        pass
    for fold in (1, 3):
        runs[fold] = train_run({"data": {"name": "iris", "folds": 3, "fold": fold}, "model": "mlp"}).run
    train_run({"data": {"name": "iris", "folds": 3, "fold": 2}, "model": "mlp", "training": {"epochs": 1}})
    train_run({"data": {"name": "iris", "folds": 2, "fold": 2}, "model": "mlp"})
    config = runs[3].config()
    repeats = Repeats("fold", 3)
    assert repeats.config(config, 1) == runs[1].config()
    assert runs_of(repeats, config, runs[1].path.parent) == runs


@pytest.mark.slow
def test_runs_of_the_same_settings_are_found_by_their_seed(train_run: Train) -> None:
    runs = {
        seed: train_run({"data": "iris", "model": "mlp", "training": {"seed": seed, "epochs": 1}}).run
        for seed in (0, 4, 5, 6)
    }
    train_run({"data": "iris", "model": "mlp", "training": {"seed": 3, "epochs": 2}})
    repeats = seeds_of(runs[6], 3)
    assert list(repeats.numbers) == [4, 5, 6]
    assert runs_of(repeats, runs[4].config(), runs[0].path.parent) == runs


def write_seed(runs_dir: Path, minute: int, seed: int, start: str = "") -> Run:
    """A run of a seed that waits, made in this minute as one of a start; without one as older versions did."""

    def fill(run: Run) -> None:
        write_config(run, Repeats("seed", 1).config(TrainConfig(), seed))
        run.environment_file.write_text(json.dumps({"together": start} if start else {}))

    return create_folder(runs_dir, "", fill, id=f"2026-11-30_12{minute:02}_digits-mlp_{seed}{minute:02}")


@pytest.mark.parametrize("named", [False, True])
def test_seeds_that_were_started_twice_are_not_mixed(tmp_path: Path, named: bool) -> None:
    first = [write_seed(tmp_path, 0, seed, "A" * named) for seed in (0, 1, 2)]
    second = [write_seed(tmp_path, 9, seed, "B" * named) for seed in (0, 1)]
    assert group_of(first[1]) == first
    assert group_of(second[0]) == second
    config = TrainConfig()
    repeats = seeds_of(first[0], 3)
    assert runs_of(repeats, config, tmp_path, first[0]) == dict(enumerate(first))
    known = runs_of(repeats, config, tmp_path, second[0])
    assert known == dict(enumerate(second)), "the third is of another start"
    assert left(repeats, known) == [0, 1, 2]


def test_starts_that_overlap_are_not_mixed(tmp_path: Path) -> None:
    """Of two starts that take turns, each makes the folder of a seed when its turn comes."""
    made = [write_seed(tmp_path, at, at // 2, "AB"[at % 2]) for at in range(6)]
    assert [group_of(run) for run in made] == [made[0::2], made[1::2]] * 3
    assert list(seeds_of(made[4], 2).numbers) == [0, 1]


def test_seeds_below_those_of_a_start_are_not_its_own(tmp_path: Path) -> None:
    write_seed(tmp_path, 0, 0, "A")
    later = [write_seed(tmp_path, 1, seed, "B") for seed in (1, 2)]
    assert list(seeds_of(later[1], 2).numbers) == [1, 2]


def test_what_is_added_to_runs_belongs_to_their_start(tmp_path: Path) -> None:
    """A start with a name, and one of an older version."""
    three = Repeats("seed", 3)
    for place, name in (("named", "A"), ("older", "")):
        runs_dir = tmp_path / place
        known = [write_seed(runs_dir, 0, seed, name) for seed in (0, 1)]
        others = [write_seed(runs_dir, 5, seed, "B" * bool(name)) for seed in (0, 1, 2)]
        (missing,) = [
            one
            for one in wanted_repeats(WantedRun(known[1].config(), runs_dir, None, run=known[1]), three)[0]
            if one.run is None
        ]
        added = missing.folder()
        assert added.config().training.seed == 2
        assert {*group_of(known[0])} == {*known, added}
        assert group_of(added) == group_of(known[1])
        assert group_of(others[0]) == others
        assert one_of(together_of(added), runs_dir) in group_of(added)


def test_a_fold_is_scored_with_the_weights_of_the_last_epoch(train_run: Train) -> None:
    """The learning rate is so high that the last epoch is not the one with the lowest loss."""
    settings = {"optimizer": {"name": "adam", "lr": 0.5}, "training": {"epochs": 9, "seed": 1}}
    fold = train_run({"data": {"name": "iris", "folds": 3, "fold": 1}, "model": "mlp", **settings})
    losses = [event.validation["loss"] for event in fold.told(EpochFinished)]
    assert min(losses) < losses[-1]
    assert summarise(fold.run).best_epoch == 9
    last = fold.told(EpochFinished)[-1].validation
    assert metrics_of(summarise(fold.run))["loss"] == last["loss"]
    assert metrics_of(summarise(fold.run))["accuracy"] == pytest.approx(last["accuracy"])


def test_intervals_of_folds_together_are_those_of_all_their_samples(train_run: Train) -> None:
    folds = [
        train_run({"data": {"name": "iris", "folds": 3, "fold": fold}, "model": "mlp"}) for fold in (1, 2, 3)
    ]
    samples, intervals = pooled_report([fold.run for fold in folds])
    hits = sum(40 * fold.told(EvaluationFinished)[0].metrics["accuracy"] for fold in folds)
    assert samples == 120
    low, high = proportion_intervals(np.array(hits), np.array(120))
    assert intervals["accuracy"] == pytest.approx([float(low), float(high)])
    assert "roc_auc_macro" not in intervals


@pytest.mark.parametrize("kind", ["weights", "shares"])
def test_intervals_of_folds_together_count_weights_and_soft_labels(kind: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    shares = draw.dirichlet([1.0, 1.0, 1.0], 90)
    targets, scores = shares.argmax(1), draw.dirichlet([2.0, 2.0, 2.0], 90)
    weights = np.where(scores.argmax(1) == targets, 9.0, 1.0)
    more = {"weights": weights} if kind == "weights" else {"shares": shares}
    whole = Predictions(scores, targets, np.arange(90), probabilities=True, **more)
    runs = [Run(tmp_path / str(fold)) for fold in range(3)]
    for fold, run in enumerate(runs):
        part, folder = whole.rows(np.arange(30 * fold, 30 * fold + 30)), run.evaluation_folder("validation")
        folder.mkdir(parents=True)
        part.save(folder / "predictions.npz")
        report = evaluate(part, task="multiclass", class_names=CLASSES, split="validation", intervals=False)
        report.save(folder / "report.json")
    right = evaluate(whole, task="multiclass", class_names=CLASSES, split="validation")
    samples, intervals = pooled_report(runs)
    assert samples == 90
    assert intervals == {name: right.intervals[name] for name in intervals}
    assert ("log_loss" in intervals) == (kind == "shares"), "with weights it has none"


def test_mean_and_deviation_are_those_of_a_sample() -> None:
    values = [0.9, 0.7, 0.95]
    found = spread([{"accuracy": value, "roc_auc": None} for value in values])
    assert found["accuracy"].values == (0.9, 0.7, 0.95)
    assert found["accuracy"].mean == pytest.approx(statistics.mean(values))
    assert found["accuracy"].deviation == pytest.approx(np.std(values, ddof=1))
    assert (found["roc_auc"].mean, found["roc_auc"].deviation) == (None, None)
    alone = spread([{"accuracy": 0.5}])["accuracy"]
    assert (alone.mean, alone.deviation) == (0.5, None)
