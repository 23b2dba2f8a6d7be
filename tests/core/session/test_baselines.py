"""Simple models beside a run: what they learn from, what they predict, and what is kept of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from core.config.schema import TrainConfig, from_dict
from core.data.registry import load
from core.data.tables import plain_columns
from core.events import Notice
from core.inference.baselines import compared, key_of, load_baselines
from core.inference.stored import load_evaluation
from core.session.baselines import fitting, models, sequences
from core.session.baselines import samples as samples_module
from core.session.baselines.compute import compute
from core.session.baselines.samples import LearntSamples
from core.tasks.losses import resolve_loss
from core.user_code.trust import trust
from tests.support import streamed_data
from tests.support.every_kind import fields_of

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from tests.conftest import Trained

BOTH = ("validation", "test")
FILE = Path(str(streamed_data.__file__))
CITIES = ("Bonn", "Oslo", "Rome")


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A table of 120 rows: the city alone tells the class, and numbers are missing in places."""
    dice = np.random.default_rng(0)
    rows = []
    for at in range(120):
        city = CITIES[int(dice.integers(3))]
        size = "" if at % 7 == 0 else f"{dice.normal():.3f}"
        rows.append(f"{city},{size},{dice.normal():.3f},{'yes' if city == 'Oslo' else 'no'}")
    path = tmp_path / "mixed.csv"
    path.write_text("\n".join(["city,size,noise,target", *rows]) + "\n")
    return path


def samples_of(values: dict[str, Any], splits: tuple[str, ...] = BOTH) -> LearntSamples:
    """The samples of a configuration."""
    config = from_dict(values)
    data = load(config.data)
    return LearntSamples(data, resolved(config, data), splits)


def resolved(config: TrainConfig, data: "Dataset") -> TrainConfig:
    """A configuration with its loss made definite."""
    return config.model_copy(update={"loss": resolve_loss(config.loss, data.task)})


def test_columns_keep_categories_and_missing_values(mixed: Path) -> None:
    samples = samples_of({"data": str(mixed)})
    plain = samples.plain()
    assert plain is not None
    assert plain.texts == (3, 0, 0)
    lines = mixed.read_text().splitlines()[1:]
    for split in ("train", *BOTH):
        wanted = [lines[row].split(",") for row in samples.data.splits[split].indices]
        values = np.concatenate([*plain.blocks(split)])
        assert [CITIES[int(place)] for place in values[:, 0]] == [row[0] for row in wanted]
        numbers = [float(row[1] or "nan") for row in wanted]
        np.testing.assert_array_equal(values[:, 1], numbers)
        some = np.array([5, 2, 9])
        np.testing.assert_array_equal(plain.rows(split, some), values[some])


def test_columns_are_taken_some_rows_at_a_time(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = samples_of({"data": str(mixed)}).plain()
    assert plain is not None
    (whole,) = plain.blocks("train")
    monkeypatch.setattr(plain_columns, "BLOCK_BYTES", 7 * 8 * 3)
    parts = [*plain.blocks("train")]
    assert {len(part) for part in parts[:-1]} == {7}
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_boosting_learns_from_a_category(mixed: Path) -> None:
    samples = samples_of({"data": str(mixed)})
    scores = models.boosting(samples, lambda: False).predict("test")
    np.testing.assert_array_equal(scores.argmax(1), samples.targets("test"))


def test_a_file_that_changed_is_not_learnt_from(mixed: Path) -> None:
    samples = samples_of({"data": str(mixed)})
    mixed.write_text(mixed.read_text().replace("Oslo", "Rome"))
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    assert [model.name for model in found.models] == ["constant", "linear", "neighbours"]
    assert "has changed" in found.notes[0]


def test_constant_predicts_what_train_holds() -> None:
    samples = samples_of({"data": "diabetes"})
    mean = float(samples.data.train.targets.double().mean())
    np.testing.assert_allclose(models.constant(samples, lambda: False).predict("test"), mean)
    classes = samples_of({"data": "wine"})
    shares = np.bincount(classes.targets("train")) / len(classes.data.train)
    np.testing.assert_allclose(models.constant(classes, lambda: False).predict("test")[0], shares)


def test_neighbours_are_those_of_scikit_learn() -> None:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    for name, kind in (("wine", KNeighborsClassifier), ("diabetes", KNeighborsRegressor)):
        samples = samples_of({"data": name})
        right = kind(models.NEIGHBOURS).fit(samples.encoded("train"), samples.targets("train"))
        theirs = right.predict_proba if samples.classes else right.predict
        mine = models.neighbours(samples, lambda: False).predict("test")
        np.testing.assert_allclose(mine, theirs(samples.encoded("test")), rtol=1e-6)


@pytest.mark.parametrize("name", ["diabetes", "digits"])
def test_neighbours_are_the_same_however_few_samples_are_encoded_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples_of({"data": name})
    whole = models.neighbours(samples, lambda: False).predict("test")
    monkeypatch.setattr(samples_module, "NUMBERS_AT_ONCE", 500)
    blocks = [*samples.blocks("test")]
    assert len(blocks) > 1
    assert max(block.size for block in blocks) <= 500
    np.testing.assert_array_equal(np.concatenate(blocks), samples.encoded("test"))
    np.testing.assert_array_equal(models.neighbours(samples, lambda: False).predict("test"), whole)


def test_distances_between_too_many_samples_are_refused_before_any_is_encoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = samples_of({"data": "digits"})
    monkeypatch.setattr(models, "MAX_PRODUCTS", 1000)
    monkeypatch.delattr(LearntSamples, "encoded")
    with pytest.raises(fitting.NotFitting, match="of 64 numbers would take too long"):
        models.neighbours(samples, lambda: False)


def test_weights_are_those_of_the_training() -> None:
    assert samples_of({"data": "wine"}).weights is None
    plain = samples_of({"data": "wine", "loss": {"name": "cross_entropy", "class_weights": "balanced"}})
    counts = np.bincount(plain.targets("train"))
    expected = (len(plain.data.train) / (3 * counts))[plain.targets("train")]
    assert plain.weights is not None
    np.testing.assert_allclose(plain.weights, expected)
    sampled = samples_of({"data": "wine", "training": {"sampling": "balanced"}})
    assert sampled.weights is not None
    np.testing.assert_allclose(sampled.weights, expected)


def test_large_tables_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MAX_CELLS", 10 * 50)
    monkeypatch.setattr(fitting, "MIN_ROWS", 20)
    samples = samples_of({"data": "diabetes"})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    rows = {model.name: model.rows for model in found.models}
    assert rows == {"constant": 317, "boosting": 50, "linear": 50, "neighbours": 317}
    assert "on 50 of 317 rows, drawn at random" in found.models[1].how


def found_for(kind: str, targets: str, folder: Path) -> dict[str, Any]:
    """The models beside such samples by name."""
    data = fields_of(kind, targets, folder) | {"validation": 0.25}
    samples = samples_of({"data": data})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    return {model.name: model for model in found.models}


def test_inputs_of_many_numbers_have_the_constant_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequences, "MAX_COLUMNS", 5)
    samples = samples_of({"data": fields_of("several", "classes", tmp_path)})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    assert [model.title for model in found.models] == ["majority class"]
    assert found.notes == ("no linear model: a sample has 16 numbers",)


@pytest.mark.parametrize(
    ("kind", "targets", "title", "how"),
    [
        ("text", "classes", "bag of words", "logistic regression on 28 words and pairs of them, by TF-IDF"),
        ("text beside", "number", "bag of words", "ridge regression"),
        ("tokens", "labels", "bag of ids", "logistic regression"),
        ("token sequences", "two classes", "bag of ids", "logistic regression"),
        ("signal", "classes", "channel statistics", "logistic regression on 12 statistics of the channels"),
        ("sequences", "numbers", "channel statistics", "ridge regression"),
        ("several", "classes", "linear model", "logistic regression on 16 numbers of all"),
    ],
)
def test_sequences_have_a_linear_model_of_their_own(
    kind: str, targets: str, title: str, how: str, tmp_path: Path
) -> None:
    samples = samples_of({"data": fields_of(kind, targets, tmp_path)})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    assert found.notes == ()
    model = found.models[1]
    assert (model.title, model.rows) == (title, len(samples.data.train))
    assert model.how.startswith(how)
    right = model.reports["test"].metrics
    constant = found.models[0].reports["test"].metrics
    name = "r2" if targets.startswith("number") else "f1_macro" if targets == "labels" else "accuracy"
    assert (right[name] or 0) > (constant[name] or 0)


def test_words_are_those_of_train(tmp_path: Path) -> None:
    lines = [f"{'good' if at % 2 else 'bad'} word{at},{at % 2}" for at in range(60)]
    path = tmp_path / "texts.csv"
    path.write_text("\n".join(["text,y", *lines]) + "\n")
    samples = samples_of({"data": {"name": "csv", "path": str(path), "text": ["text"]}})
    found = sequences.bag(samples, lambda: False)
    assert found.how.startswith(
        "logistic regression on 5 words and pairs"
    )  # good, bad, an unknown one, two pairs
    assert (found.predict("test").argmax(1) == samples.targets("test")).all()


def test_labels_have_a_model_each(tmp_path: Path) -> None:
    found = found_for("table", "labels", tmp_path)
    assert [model.title for model in found.values()] == [
        *("frequent labels", "gradient boosting", "linear model", "nearest neighbours"),
    ]
    assert found["linear"].how == "logistic regression, one for each of 3"
    samples = samples_of({"data": fields_of("table", "labels", tmp_path) | {"validation": 0.25}})
    train, targets = samples.encoded("train"), samples.targets("train")
    for place, scores in enumerate(found["linear"].predictions["test"].scores.T):
        model = LogisticRegression(max_iter=200).fit(train, targets[:, place])
        np.testing.assert_allclose(scores, model.predict_proba(samples.encoded("test"))[:, 1], atol=1e-9)
    assert np.allclose(found["constant"].predictions["test"].scores, targets.mean(axis=0))
    assert found["linear"].predictions["test"].thresholds is not None  # chosen on validation, as a network's


def test_a_label_that_all_have_needs_no_model() -> None:
    targets = np.array([[1, 0], [1, 1]], dtype=np.uint8)
    fitted = fitting.of_each(targets, lambda column: "fitted", "labels")
    assert fitted[1] == "fitted"
    assert fitted[0].predict_proba(np.zeros((3, 1)))[:, 1].tolist() == [1, 1, 1]


@pytest.mark.slow
def test_several_numbers_shares_and_masks(tmp_path: Path) -> None:
    numbers = found_for("table", "numbers", tmp_path)
    assert numbers["boosting"].predictions["test"].scores.shape == (5, 2)
    assert numbers["constant"].how.startswith("always target 1 1.8")
    shares = found_for("table", "shares", tmp_path)["neighbours"].predictions["test"]
    assert shares.shares is not None
    assert 0.1 <= shares.scores.min() < shares.scores.max() <= 0.8
    (masks,) = found_for("image", "pixels", tmp_path).values()
    train = samples_of({"data": fields_of("image", "pixels", tmp_path) | {"validation": 0.25}}).targets(
        "train"
    )
    wanted = [np.bincount(values).argmax() for values in train.reshape(len(train), -1).T]
    assert masks.predictions["test"].scores[0].ravel().tolist() == wanted
    assert masks.reports["test"].metrics["mean_iou"] is not None


def test_a_stop_ends_them() -> None:
    samples = samples_of({"data": "wine"})
    assert compute(samples.config, samples.data, BOTH, should_stop=lambda: True) is None


def test_a_run_keeps_them_and_compares_itself(train_run: Callable[..., "Trained"]) -> None:
    values = {"data": {"name": "wine"}, "training": {"epochs": 1, "baselines": "auto"}}
    trained = train_run(values)
    stored = load_baselines(trained.run)
    assert stored is not None
    assert stored.key == key_of(trained.run.config())
    assert [model.name for model in stored.models] == ["constant", "boosting", "linear", "neighbours"]
    rows = compared(load_evaluation(trained.run, "test"))
    assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
    assert all(row.difference is not None for row in rows)
    line = trained.told(Notice)[-1].message
    assert "than gradient boosting on validation: accuracy" in line  # not on test, which nobody has opened


@pytest.mark.slow
def test_they_are_not_made_again(
    train_run: Callable[..., "Trained"], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"data": {"name": "iris"}, "training": {"epochs": 1, "baselines": "auto"}}
    first = train_run(values)
    monkeypatch.setattr("core.session.baselines.beside.compute", None)
    again = train_run({"training": {"epochs": 2}}, run=first.run)
    assert again.finished.status == "completed"
    assert not [notice for notice in again.told(Notice) if "no simple models" in notice.message]


def test_none_leaves_them_out(train_run: Callable[..., "Trained"]) -> None:
    trained = train_run({"data": {"name": "iris"}})
    assert load_baselines(trained.run) is None
    assert compared(load_evaluation(trained.run, "test")) == []


@pytest.mark.slow
@pytest.mark.parametrize("weights", [False, True])
def test_beside_a_stream_they_learn_from_some_rows_and_are_evaluated_on_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: bool
) -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 400))
    colour = draw.choice(["red", "blue"], 400)
    frame = pl.DataFrame(
        {
            "a": a,
            "b": b,
            "colour": colour,
            "count": np.arange(400) % 3 + 1.0,
            "label": np.where(a > 0, "x", "y"),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    found = {}
    for feed in ("resident", "stream"):
        data = {
            "name": "csv",
            "path": str(tmp_path / "t.parquet"),
            "feed": feed,
            "weight": "count" if weights else "",
        }
        samples = samples_of({"data": data})
        found[feed] = compute(samples.config, samples.data, BOTH)
    resident, streamed = (found[feed] for feed in ("resident", "stream"))
    assert resident is not None
    assert streamed is not None
    names = [[model.name for model in each.models] for each in (resident, streamed)]
    assert names[0] == names[1] == ["constant", "boosting", "linear", "neighbours"]
    for one, other in zip(resident.models, streamed.models, strict=True):
        if one.name != "boosting":  # which has the categories of a table in memory as they are
            np.testing.assert_allclose(
                one.predictions["test"].scores, other.predictions["test"].scores, atol=1e-6
            )
    monkeypatch.setattr(samples_module, "MAX_TABLE_ROWS", 100)
    some = compute(samples.config, samples.data, BOTH)
    assert some is not None
    assert [model.rows for model in some.models] == [len(samples.data.train), 100, 100, 100]
    assert all("on 100 of" in model.how for model in some.models[1:])
    assert all(len(model.predictions["test"]) == len(samples.data.test) for model in some.models)


def test_beside_a_stream_of_images_they_are_the_nearest_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    trust(FILE)
    monkeypatch.setattr(samples_module, "MAX_OTHER_ROWS", 20)
    samples = samples_of({"data": {"name": f"{FILE}:images", "feed": "stream"}})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    assert [(model.name, model.rows) for model in found.models] == [
        ("constant", len(samples.data.train)),
        ("neighbours", 20),
    ]
    assert compute(samples.config, samples.data, BOTH, should_stop=lambda: True) is None


@pytest.mark.parametrize(
    ("name", "shape", "model"),
    [
        ("sequences", "auto", "statistics"),
        ("tokens", "tokens", "words"),
        ("pairs", "auto", "inputs"),
        ("stream_tokens", "tokens", "words"),
    ],
)
def test_inputs_of_a_stream_that_are_no_rows_have_the_model_of_those_in_memory(
    name: str, shape: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(FILE)
    found = {}
    for feed in ("resident", "stream") if name != "stream_tokens" else ("stream",):
        samples = samples_of({"data": {"name": f"{FILE}:{name}", "shape": shape, "feed": feed}})
        found[feed] = compute(samples.config, samples.data, BOTH)
    streamed = found["stream"]
    assert streamed is not None
    assert [each.name for each in streamed.models] == ["constant", model]
    scores = [each.models[1].predictions["test"].scores for each in found.values() if each]
    np.testing.assert_allclose(scores[0], scores[-1], atol=1e-6)
    monkeypatch.setattr(samples_module, "MAX_OTHER_ROWS", 20)
    some = compute(samples.config, samples.data, BOTH)
    assert some is not None
    assert [each.rows for each in some.models] == [len(samples.data.train), 20]
    assert "on 20 of" in some.models[1].how
    assert len(some.models[1].predictions["test"]) == len(samples.data.test)
    assert compute(samples.config, samples.data, BOTH, should_stop=lambda: True) is None


def test_what_a_collate_function_makes_has_the_constant_one_alone() -> None:
    trust(FILE)
    samples = samples_of({"data": {"name": f"{FILE}:collated_pairs"}})
    found = compute(samples.config, samples.data, BOTH)
    assert found is not None
    assert [model.name for model in found.models] == ["constant"]
    assert found.notes == ("one simple model alone beside the network: a collate function makes the inputs",)
