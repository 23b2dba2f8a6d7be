"""The positive class of two classes: chosen, told by its name, or the later one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from core.config.schema import from_dict
from core.data.positive import with_positive
from core.data.registry import load
from core.errors import DataError
from core.runs.folder import Run

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from tests.conftest import Trained


def two(data: "Dataset", first: str, second: str) -> "Dataset":
    """The data with other names for its two classes."""
    return replace(data, class_names=(first, second))


@pytest.mark.parametrize(
    ("names", "positive"),
    [
        (("fraud", "legit"), "fraud"),
        (("Malignant", "benign"), "Malignant"),
        (("ham", "spam"), "spam"),
        (("no", "yes"), "yes"),
        (("left", "right"), "right"),
        (("fraud", "maybe"), "maybe"),
    ],
)
def test_names_that_make_it_clear_say_which_it_is(
    load_data: Callable[..., "Dataset"], names: tuple[str, str], positive: str
) -> None:
    data = two(load_data("moons"), *names)
    found = with_positive(data, "auto")
    assert found.class_names[1] == positive
    turned = positive == names[0]
    assert torch.equal(found.test.targets, 1 - data.test.targets if turned else data.test.targets)
    assert any("positive class" in note for note in found.notes) == turned


@pytest.mark.parametrize(("asked", "positive"), [("1", "1"), ("0", "0"), (True, "1"), (0, "0"), ("no", "0")])
def test_it_is_chosen_by_name_or_truth(
    load_data: Callable[..., "Dataset"], asked: object, positive: str
) -> None:
    config = from_dict({"data": {"name": "moons", "positive": asked}})
    found = with_positive(two(load_data("moons"), "0", "1"), config.data.positive)
    assert found.class_names[1] == positive


def test_it_is_refused_where_there_is_none(load_data: Callable[..., "Dataset"]) -> None:
    with pytest.raises(DataError, match=r"data\.positive: no class is called up.*upper and lower"):
        with_positive(load_data("moons"), "up")
    with pytest.raises(DataError, match="3 classes, not two"):
        with_positive(load_data("iris"), "setosa")
    with pytest.raises(DataError, match="no classes, not two"):
        with_positive(load_data("diabetes"), "1")


def test_a_table_has_it_too(tmp_path: Path) -> None:
    rows = [f"{at},{at % 3},{'fraud' if at % 3 else 'legit'}" for at in range(60)]
    path = tmp_path / "cards.csv"
    path.write_text("\n".join(["amount,hour,target", *rows]) + "\n")
    assert load(from_dict({"data": str(path)}).data).class_names == ("legit", "fraud")
    chosen = {"name": "csv", "path": str(path), "positive": "legit"}
    assert load(from_dict({"data": chosen}).data).class_names == ("fraud", "legit")


def test_runs_from_before_keep_theirs(train_run: Callable[..., "Trained"]) -> None:
    run = train_run({"data": {"name": "breast_cancer", "positive": "later"}, "training": {"epochs": 1}}).run
    lines = [line for line in run.config_file.read_text().splitlines() if "positive" not in line]
    run.config_file.write_text("\n".join(lines))
    assert load(Run(run.path).config().data).class_names == ("malignant", "benign")


def test_a_score_of_one_half_is_positive_everywhere() -> None:
    import numpy as np

    from core.evaluation.curves import one_vs_rest
    from core.evaluation.predictions import Predictions
    from core.evaluation.thresholds import threshold_table
    from core.tasks.tallies import answers_of

    scores = np.array([[0.5, 0.5], [0.6, 0.4], [0.5, 0.5], [0.1, 0.9]])
    targets = np.array([1, 0, 0, 1])
    predictions = Predictions(scores, targets, np.arange(4), probabilities=True)
    (point,) = threshold_table(one_vs_rest(scores[:, 1], targets == 1), [0.5])
    assert predictions.predicted.tolist() == [1, 0, 1, 1]
    assert (point.tp, point.fp) == (2, 1)
    assert answers_of(torch.from_numpy(scores)).tolist() == [1, 0, 1, 1]
    assert answers_of(torch.tensor([[1.0, 3.0, 3.0]])).tolist() == [1]
