"""Runs that learn from a file: predicting without it, and what becomes of them when it changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.dataset import no_progress
from core.errors import DataError, InputError, RunDamaged
from core.events import Notice
from core.inference.inputs import read_inputs
from core.inference.prediction_files import NewPredictions, table_of
from core.runs.data_facts import known_data
from core.runs.folder import Run
from core.runs.problems import problems
from core.session.evaluation import evaluate_run, score_inputs, trained_model
from core.session.new_samples import predict_new
from tests.support.fixtures import TrainRun
from tests.support.narrow import instance, some

ROWS = [
    f"{at},{at % 7 if at % 9 else ''},{['red', 'blue', '?'][at % 3]},2024-0{1 + at % 9}-11,{'ab'[at // 30 % 2]}"
    for at in range(120)
]
HEADER = "id,size,colour,seen,kind"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file with an id, numbers, texts, dates, missing values and two classes."""
    path = tmp_path / "flowers.csv"
    path.write_text("\n".join([HEADER, *ROWS]))
    return path


@pytest.fixture
def run(table: Path, train_run: TrainRun) -> Run:
    """A run of it."""
    return train_run({"data": {"name": "csv", "path": str(table)}}).run


def answers(run: Run, path: Path) -> np.ndarray:
    trained = trained_model(run, samples=False)
    return score_inputs(trained, read_inputs(path, trained.data).inputs)


def test_a_run_tells_at_its_start_what_was_done_to_the_rows(table: Path, train_run: TrainRun) -> None:
    told = [event.message for event in train_run({"data": str(table)}).told(Notice)]
    assert told[:4] == [
        "target: kind (the last column), 2 classes",
        "columns: 1 of numbers, 1 of categories, 1 of dates; 7 features; dates are read as year-month-day",
        "left out id: another number in each row, as ids have",
        "imputed 14 missing values with the median of train: size 14",
    ]


def test_the_rows_of_a_file_get_the_scores_they_had_without_it(run: Run, table: Path, tmp_path: Path) -> None:
    known = evaluate_run(run, "test").predictions
    new = tmp_path / "new.csv"
    new.write_text("\n".join([HEADER, *(ROWS[at] for at in known.indices)]))
    table.unlink()
    np.testing.assert_allclose(answers(run, new), known.scores, rtol=1e-5)


def test_columns_are_found_by_name_and_what_is_strange_is_told(run: Run, tmp_path: Path) -> None:
    trained = trained_model(run, samples=False)
    plain, other = tmp_path / "plain.csv", tmp_path / "other.tsv"
    plain.write_text("size,colour,seen\n1,red,2024-03-11\n,?,2024-04-11\n2,,\n")
    other.write_text(
        "more\tseen\tcolour\tid\tsize\n1\t2024-03-11\tred\tx\t1\n\n\t2024-04-11\t\ty\tNA\n\t\tpink\tz\t 2\n"
    )
    first, second = read_inputs(plain, trained.data), read_inputs(other, trained.data)
    assert first.ids == ["0", "1", "2"]
    assert second.ids == ["x", "y", "z"]
    assert second.notes == (
        "not used: more",
        "filled missing values with the median of the training rows: size 1, seen 1",
        "colour: 1 row holds texts that the training rows had not, such as 'pink'",
    )
    assert second.inputs[:2].equal(first.inputs[:2])
    texts = [at for at, name in enumerate(trained.data.feature_names) if name.startswith("colour")]
    assert not second.inputs[2, texts].any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "sizes,colour,seen\n1,red,2024-03-11\n",
            "lacks size. There is 'sizes'. Its columns: sizes, colour, seen",
        ),
        ("colour\nred\n", "lacks size, seen. Its columns: colour"),
        ("size,colour,seen\nbig,red,2024-03-11\n", "line 2, column size: got 'big'"),
        (
            "size,colour,seen\n1,red,11.3.24\n",
            "line 2, column seen: got '11.3.24', where the model takes dates",
        ),
        ("size,colour,seen\n1,red\n", "line 2: 2 fields, and there are 3 columns"),
        ("size,colour,seen\n", "has no rows"),
        ("size,colour,seen\n\n\n", "has no rows"),
        ("", "is empty"),
    ],
)
def test_rows_that_do_not_fit_are_refused(text: str, says: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        answers(run, tmp_path / "new.csv")
    assert says in str(caught.value)


def test_arrays_are_refused_for_a_model_of_rows(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "new.npy", np.zeros((2, 7), np.float32))
    with pytest.raises(InputError, match=r"takes rows with the columns of flowers\.csv"):
        answers(run, tmp_path / "new.npy")


@pytest.mark.slow
def test_a_changed_file_is_not_trained_on_or_evaluated(run: Run, table: Path, train_run: TrainRun) -> None:
    whole = table.read_text()
    table.write_text(whole.replace("red", "rad", 1))
    says = r"data\.path: flowers\.csv has changed since .* was started"
    with pytest.raises(DataError, match=says):
        trained_model(run)
    with pytest.raises(DataError, match=says):
        evaluate_run(run, "train")
    table.write_text(whole)
    assert train_run({"training": {"epochs": 4}}, run=run).finished.status == "completed"


@pytest.mark.parametrize("data", ["digits", "diabetes", "iris"])
def test_what_a_run_keeps_of_its_data_is_all_but_the_samples(
    data: str, train_run: TrainRun, load_data: Callable[..., Any]
) -> None:
    known, whole = known_data(train_run({"data": data}).run), load_data(data)
    assert known is not None
    for name in (
        "name",
        "kind",
        "task",
        "class_names",
        "feature_names",
        "target_mean",
        "value_range",
        "sample_shape",
    ):
        assert getattr(known, name) == getattr(whole, name)
    assert known.mean.equal(whole.mean)
    assert known.std.equal(whole.std)
    assert known.train.inputs.dtype == whole.train.inputs.dtype


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sample_shape": 3}', '{"table": {"encoding": 1}}'])
def test_damage_to_what_a_run_keeps_of_its_data_is_named(text: str, run: Run) -> None:
    facts = json.loads(run.data_file.read_text())
    run.data_file.write_text(
        text if len(text) < 3 else json.dumps(facts | json.loads(text)) if text != "{}" else text
    )
    with pytest.raises(RunDamaged, match=r"data\.json cannot be read"):
        known_data(run)


def test_a_damaged_file_is_listed_among_the_problems_of_a_run(run: Run) -> None:
    run.data_file.write_text("{")
    assert any("data.json cannot be read" in line for line in problems(run))


@pytest.mark.slow
def test_numbers_are_predicted_in_their_own_unit(tmp_path: Path, train_run: TrainRun) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["rooms,price", *(f"{at},{1e6 + 5e4 * at}" for at in range(100))]))
    run = train_run(
        {
            "data": str(path),
            "model": "linear",
            "optimizer": {"name": "adam", "lr": 0.1},
            "training": {"epochs": 60},
        }
    ).run
    evaluation = evaluate_run(run, "test")
    assert evaluation.predictions.targets.min() >= 1e6
    assert some(evaluation.report.metrics["r2"]) > 0.9
    assert answers(run, path) == pytest.approx([1e6 + 5e4 * at for at in range(100)], rel=0.1)


def diamonds(random: np.random.Generator) -> list[str]:
    """Stones whose prices have a heavy tail, as those of diamonds have."""
    carats, cuts = random.lognormal(-0.4, 0.6, 600), random.integers(0, 3, 600)
    prices = 4000 * carats**1.7 * (1 + 0.2 * cuts) * random.lognormal(0, 0.1, 600)
    rows = [f"{carats[at]:.2f},{('Fair', 'Good', 'Ideal')[cuts[at]]},{prices[at]:.0f}" for at in range(600)]
    return ["carat,cut,price", *rows]


def houses(random: np.random.Generator) -> list[str]:
    """Houses, of which one has a mistyped area."""
    areas, rooms = random.lognormal(7, 0.4, 600), random.integers(1, 7, 600)
    prices = 900 * areas + 20_000 * rooms + random.normal(0, 20_000, 600)
    areas[5] = 1e9
    return [
        "LotArea,Rooms,SalePrice",
        *(f"{areas[at]:.0f},{rooms[at]},{prices[at]:.0f}" for at in range(600)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("make", [diamonds, houses])
def test_heavy_tails_and_a_mistyped_number_train_with_the_default_optimizer(
    make: Callable[[np.random.Generator], list[str]], train_run: TrainRun, tmp_path: Path
) -> None:
    path = tmp_path / "my.csv"
    path.write_text("\n".join(make(np.random.default_rng(0))))
    trained = train_run({"data": str(path), "training": {"epochs": 20}})
    assert any("heavy tails" in event.message for event in trained.told(Notice)) is (make is houses)
    assert trained.finished.status == "completed"
    assert some(evaluate_run(trained.run, "test").report.metrics["r2"]) > 0.6


def test_rows_that_get_no_answer_are_told(run: Run, tmp_path: Path) -> None:
    new, data = tmp_path / "new.csv", trained_model(run, samples=False).data
    new.write_text("size,colour,seen\n,,\n1,red,2024-03-11\n\n2,red,2024-04-11\nTotal,,\n,,\n")
    found = read_inputs(new, data)
    assert found.notes[:2] == (
        "left out 1 line below the table, from line 6: 'Total'",
        "left out 1 row without a value",
    )
    assert found.ids == ["0", "1"]
    new.write_text("size,colour,seen\n1,red,2024-03-11\n\n2,red,2024-04-11\n,,\n")
    assert read_inputs(new, data).notes == ()


def test_columns_that_tell_rows_apart_stand_beside_their_predictions(run: Run, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text("customer,same,size,colour,seen\nC7,x,1,red,2024-03-11\nC8,x,2,red,2024-04-11\n")
    found = instance(NewPredictions, predict_new([run], new, progress=no_progress))
    head, *rows = table_of(found)
    assert list(head[:3]) == ["id", "customer", "class"]
    assert [list(row[:2]) for row in rows] == [["0", "C7"], ["1", "C8"]]
    assert found.notes[:2] == (
        "not used: same",
        "written beside the predictions, as their values tell the rows apart: customer",
    )
