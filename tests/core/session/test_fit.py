"""One list of checks: what the form shows of a configuration is what a run that is prepared refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from core.config import schema as configuration
from core.data.dataset import Dataset
from core.errors import TorchtuiError
from core.session.fit import check_fit, config_problems, data_problems
from core.session.session import assemble

Load = Callable[..., Dataset]

MISFITS: list[tuple[str, dict[str, Any], str]] = [
    ("iris", {"training": {"device": "cuda:99"}}, "training.device"),
    ("iris", {"training": {"device": "cpu", "precision": "tf32"}}, "training.precision"),
    ("iris", {"schedule": {"warmup": 20}}, "schedule.warmup"),
    ("diabetes", {"loss": "hinge"}, "loss.name"),
    ("diabetes", {"training": {"sampling": "balanced"}}, "training.sampling"),
    ("iris", {"schedule": {"name": "one_cycle", "warmup": 2}}, "schedule.warmup"),
    ("iris", {"training": {"monitor": "r2"}}, "training.monitor"),
    ("iris", {"training": {"channels_last": True}}, "training.channels_last"),
]


@pytest.mark.parametrize(("data", "values", "field"), MISFITS)
def test_each_problem_is_listed_and_refused(
    data: str, values: dict[str, Any], field: str, load_data: Load
) -> None:
    config, loaded = configuration.from_dict(values), load_data(data)
    problems = [*config_problems(config), *data_problems(config, loaded)]
    assert [problem.message.partition(":")[0] for problem in problems] == [field]
    for refuse in (check_fit, assemble):
        with pytest.raises(TorchtuiError) as refused:
            refuse(config, loaded)
        assert str(refused.value) == str(problems[0])


def test_all_problems_are_listed_and_the_first_is_raised(load_data: Load) -> None:
    data = load_data("iris")
    values = {"schedule": {"warmup": 20}, "training": {"monitor": "r2", "channels_last": True}}
    config = configuration.from_dict(values)
    problems = [*config_problems(config), *data_problems(config, data)]
    fields = [problem.message.partition(":")[0] for problem in problems]
    assert fields == ["schedule.warmup", "training.monitor", "training.channels_last"]
    with pytest.raises(TorchtuiError, match=r"^schedule\.warmup"):
        check_fit(config, data)


def test_a_configuration_that_fits_has_no_problem(load_data: Load) -> None:
    config = configuration.from_dict({"training": {"device": "cpu"}})
    check_fit(config, load_data("iris"))


def test_classes_that_are_balanced_twice_are_reported(load_data: Load) -> None:
    def notes(sampling: str, weights: str) -> str:
        values = {
            "training": {"sampling": sampling},
            "loss": {"name": "cross_entropy", "class_weights": weights},
        }
        return " ".join(assemble(configuration.from_dict(values), load_data("iris")).data.warnings)

    assert "classes are balanced twice" in notes("balanced", "balanced")
    assert "twice" not in notes("balanced", "none") + notes("shuffled", "balanced")
