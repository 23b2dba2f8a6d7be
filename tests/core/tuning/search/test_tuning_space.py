"""Search spaces: what may be written, what is refused before a study begins, and which combinations there are."""

import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from core.config import schema as configuration
from core.config.schema import FAMILIES
from core.errors import ConfigError
from core.optimizers.sgd import Momentum
from core.options import choices
from core.tuning.search.methods import TRIAL, decode, make_sampler, suggest
from core.tuning.search.plan import make_plan, plan_from_dict
from core.tuning.search.ranges import default_domains, parse_assignment
from core.tuning.search.space import Choices, Range, SearchSpace, build_space
from tests.support.narrow import instance

IRIS = configuration.from_dict({"data": "iris", "model": "mlp"})


def space(*assignments: str, **values: Any) -> SearchSpace:
    base = configuration.from_dict({"data": "iris", "model": "mlp", **values})
    return build_space(base, dict(parse_assignment(text) for text in assignments))


@pytest.mark.parametrize(
    ("text", "path", "domain"),
    [
        ("optimizer.lr=log:1e-4..1", "optimizer.lr", Range(1e-4, 1.0, log=True)),
        ("optimizer.lr=1e-4..0.1", "optimizer.lr", Range(1e-4, 0.1)),
        ("batch_size=16..256", "training.batch_size", Range(16, 256)),
        ("training.batch_size=16..256:16", "training.batch_size", Range(16, 256, step=16)),
        ("batch_size=log:16..128:2", "training.batch_size", Choices((16, 32, 64, 128))),
        ("optimizer.lr=log:1e-3..1:10", "optimizer.lr", Choices((0.001, 0.01, 0.1, 1.0))),
        ("model.hidden=64,128", "model.hidden", Choices(([64], [128]))),
        ("model.hidden=[64],[256,128]", "model.hidden", Choices(([64], [256, 128]))),
        ("optimizer.lr=0.1,1e-3,0.1", "optimizer.lr", Choices((0.1, 0.001))),
        ("optimizer=adam,sgd", "optimizer.name", Choices(("adam", "sgd"))),
        ("model.dropout=0..0.5", "model.dropout", Range(0.0, 0.5)),
    ],
)
def test_ranges_are_read_as_people_write_them(text: str, path: str, domain: object) -> None:
    found = space(text)
    assert dict(found.domains) == {path: domain}
    assert build_space(found.base, found.to_dict()) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer.lrr=0.1,0.2", "optimizer.lrr: unknown key. Did you mean 'lr'?"),
        ("lrr=0.1,0.2", "lrr: unknown key. Did you mean optimizer.lr?"),
        ("learning_rate=0.1,0.2", "learning_rate: unknown key. Did you mean optimizer.lr?"),
        ("optimiser=sgd", "optimiser: unknown key. Did you mean optimizer?"),
        ("optimiser.lr=0.1,0.2", "optimiser: unknown key. Did you mean 'optimizer'?"),
        ("optimizer.beta1=0.8..0.9", "optimizer.beta1: unknown key"),
        ("optimizer.lr=0..1", "optimizer.lr: got 0, takes a number > 0"),
        ("optimizer.momentum=0.5..1.5", "optimizer.momentum: got 1.5, takes a number < 1"),
        ("batch_size=1.5..8", "training.batch_size: got 1.5, takes a whole number"),
        ("batch_size=8..64:0.5", "training.batch_size: got the step 0.5, takes a whole number"),
        ("optimizer.lr=1..0.1", "optimizer.lr: a range must increase, got 1..0.1"),
        ("optimizer.weight_decay=log:0..1", "optimizer.weight_decay: a logarithmic range must start above 0"),
        ("optimizer.lr=log:0.1..1:1", "optimizer.lr: got the step 1, takes a factor > 1"),
        ("optimizer.lr=log:1e-4..1:1.0000001", "optimizer.lr: the range holds 92,103,4"),
        (
            "model.dropout=0..0.9:1e-7",
            "model.dropout: the range holds 9,000,001 values, takes at most 10,000",
        ),
        ("model.activation=relu,tan", "model.activation: got 'tan', takes 'relu'"),
        ("model.hidden=8..64", "model.hidden: takes choices, not a range"),
        ("optimizer=adam,adm", "optimizer.name: no such name 'adm'. Did you mean 'adam'?"),
        ("data.validation=0.1..0.3", "data.validation: all trials must use the same data"),
        ("data=iris,wine", "data.name: all trials must use the same data"),
        (
            "training.metric_arguments.F.beta=1,2",
            "training.metric_arguments.F.beta: all trials must be measured in the same",
        ),
        ("metric_arguments={},{}", "training.metric_arguments: all trials must be measured in the same way"),
        ("optimizer.lr=a..b", "-p: cannot read the range 'a..b'"),
        ("optimizer.lr", "-p: got 'optimizer.lr'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        space(text)
    assert str(caught.value).startswith(message)


def test_fields_of_one_choice_apply_only_to_it() -> None:
    found = space("optimizer=momentum,adam", "optimizer.momentum=0.5,0.9", "optimizer.lr=0.01..0.1:0.03")
    assert found.applies("optimizer.momentum", {"optimizer.name": "momentum"})
    assert not found.applies("optimizer.momentum", {"optimizer.name": "adam"})
    assert found.applies("optimizer.lr", {"optimizer.name": "adam"})
    points = [found.grid_point(index) for index in range(found.grid_size())]
    assert len(points) == 2 * 4 + 4
    assert len({tuple(point.items()) for point in points}) == len(points)
    assert all(("optimizer.momentum" in point) == (point["optimizer.name"] == "momentum") for point in points)
    assert {found.config(point).optimizer.lr for point in points} == {0.01, 0.04, 0.07, 0.1}
    with pytest.raises(IndexError):
        found.grid_point(len(points))


def test_bounds_hold_for_every_choice_that_has_the_field() -> None:
    """Cnn takes at most 16 linear layers of 4096, the MLP more."""
    with pytest.raises(ConfigError, match=r"model\.hidden"):
        space("model=mlp,cnn", "model.hidden=64,5000")


def test_a_trial_keeps_what_is_not_searched_unless_another_name_is_chosen() -> None:
    found = space("optimizer=adam,momentum", "optimizer.lr=0.1,0.2", optimizer={"momentum": 0.5})
    same = found.config({"optimizer.name": "momentum", "optimizer.lr": 0.2}).optimizer
    assert (same.name, same.lr, instance(Momentum, same).momentum) == ("momentum", 0.2, 0.5)
    other = found.config({"optimizer.name": "adam", "optimizer.lr": 0.2}).optimizer
    assert (other.name, other.lr) == ("adam", 0.2)


def test_the_number_of_a_huge_grid_is_known_at_once() -> None:
    axes = [f"optimizer.{key}=0.001..0.9:0.0001" for key in ("lr", "momentum", "weight_decay")]
    found = space(*axes, "model.dropout=0..0.9:0.0001")
    assert found.grid_size() > 10**14
    assert found.grid_point(10**14)


def test_whole_numbers_are_not_written_out() -> None:
    found = space("training.epochs=1..1000000", "training.batch_size=1..1000000:3")
    assert found.grid_size() == 1_000_000 * 333_334
    assert found.grid_point(found.grid_size() - 1) == {
        "training.epochs": 1_000_000,
        "training.batch_size": 1_000_000,
    }


@pytest.mark.parametrize("optimizer", choices(FAMILIES["optimizer"]))
@pytest.mark.parametrize("model", choices(FAMILIES["model"]))
def test_every_model_and_optimizer_has_a_space_of_its_own(model: str, optimizer: str) -> None:
    base = configuration.from_dict({"model": model, "optimizer": optimizer})
    for grid in (False, True):
        found = build_space(base, default_domains(base, grid=grid))
        rates = found.domains["optimizer.lr"]
        largest = max(rates.values) if isinstance(rates, Choices) else rates.high
        assert base.optimizer.lr <= largest <= 1
        assert ("model.hidden" in found.domains) == ("hidden" in type(base.model).model_fields)
        assert bool(found.endless()) != grid
    assert found.grid_size() <= 18


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "grid"}, "optimizer.lr: a grid needs choices or a step"),
        ({"method": "annealing"}, "method: got 'annealing'. Takes auto, grid, random, bayes, gp"),
        ({"pruner": "luck"}, "pruner: got 'luck'"),
        ({"metric": "acuracy"}, "metric: got 'acuracy'. Did you mean accuracy?"),
        ({"where": ["paramters<9"]}, "where: got 'paramters'. Did you mean parameters?"),
        ({"direction": "up"}, "direction: got 'up'. Takes minimize, maximize"),
        ({"trials": 0}, "trials: got 0"),
        ({"keep": -1}, "keep: got -1"),
    ],
)
def test_plans_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_plan(IRIS, {"optimizer.lr": {"low": 0.01, "high": 0.1}}, **options)
    assert str(caught.value).startswith(message)


def test_the_direction_follows_the_metric() -> None:
    domains = {"optimizer.lr": [0.1, 0.2]}
    ways = {
        metric: make_plan(IRIS, domains, metric=metric).direction for metric in ("loss", "accuracy", "ece")
    }
    assert ways == {"loss": "minimize", "accuracy": "maximize", "ece": "minimize"}
    assert make_plan(IRIS, domains, direction="maximize").direction == "maximize"


def test_values_of_different_losses_are_not_compared() -> None:
    plan = make_plan(IRIS, {"loss": ["cross_entropy", "hinge"]})
    assert (plan.metric, plan.direction) == ("auto", "maximize")
    with pytest.raises(ConfigError, match="cannot be compared"):
        make_plan(IRIS, {"loss": ["cross_entropy", "hinge"]}, metric="loss")


def test_tuning_needs_validation_data() -> None:
    with pytest.raises(ConfigError, match=r"data\.validation: got 0"):
        make_plan(configuration.from_dict({"data": {"validation": 0}}), {})


def drawn(found: SearchSpace, trials: int = 8) -> list[dict[str, Any]]:
    """Values that the random method draws, as they come back from Optuna's storage."""
    plan = make_plan(found.base, found.to_dict(), method="random", trials=trials)
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(storage=storage, sampler=make_sampler(plan))
    identity = storage.get_study_id_from_name(study.study_name)
    for number in range(trials):
        template = create_trial(state=TrialState.RUNNING, user_attrs={TRIAL: number})
        trial = Trial(study, storage.create_new_trial(identity, template))
        assert suggest(plan.space, trial) == decode(plan.space, trial.params)
    return [decode(plan.space, trial.params) for trial in study.get_trials()]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("optimizer.momentum=0.1..0.5:0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("optimizer.momentum=0..0.95:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("optimizer.weight_decay=0..3e-15:1e-15", (0.0, 1e-15, 2e-15, 3e-15)),
        ("training.ema=0.9..0.99:0.01", tuple(float(f"0.9{digit}") for digit in range(10))),
        ("batch_size=8..32:7", (8, 15, 22, 29)),
    ],
)
def test_values_of_a_step_are_exact(text: str, values: tuple[float, ...]) -> None:
    found = space(text)
    ((path, domain),) = found.domains.items()
    assert tuple(domain.points() or ()) == values
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of Optuna, about the end of a range or the kind of a choice
        assert {params[path] for params in drawn(found, 20)} <= {*values}


OWN = """
class Net:
    def __init__(self, width: int = 8, rate: float = 0.1, options: dict | None = None, kind="a", share=0.5):
        pass
"""


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("width=8..32", Range(8, 32)),
        ("width=8,16", Choices((8, 16))),
        ("rate=log:1e-5..1", Range(1e-5, 1.0, log=True)),
        ("rate=1..3", Range(1.0, 3.0)),
        ("rate=0..1:0.25", Range(0.0, 1.0, step=0.25)),
        ("share=1,2", Choices((1.0, 2.0))),
        ("options={a: 1},{b: [1, 2]}", Choices(({"a": 1}, {"b": [1, 2]}))),
        ("kind=a,b", Choices(("a", "b"))),
    ],
)
def test_arguments_of_an_own_network_are_searched_like_everything_else(
    text: str, domain: Choices | Range, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text(OWN)
    found = space(f"model.arguments.{text}", model={"name": "python", "path": f"{tmp_path / 'net.py'}:Net"})
    ((path, read),) = found.domains.items()
    assert repr(read) == repr(domain)  # whole numbers are not equal to floats there
    assert build_space(found.base, found.to_dict()) == found
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for params in drawn(found):
            argument = path.removeprefix("model.arguments.")
            assert configuration.to_dict(found.config(params))["model"]["arguments"][argument] == params[path]


def test_a_step_between_whole_numbers_is_refused_where_the_argument_takes_none(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(OWN)
    with pytest.raises(ConfigError, match=r"model\.arguments\.width: .*whole number"):
        space(
            "model.arguments.width=0..4:0.5", model={"name": "python", "path": f"{tmp_path / 'net.py'}:Net"}
        )


@pytest.mark.parametrize(
    ("texts", "trials", "more", "method"),
    [
        (("optimizer.lr=0.1,0.2", "batch_size=8..32:8"), 8, {}, "grid"),
        (("optimizer.lr=0.1,0.2", "batch_size=8..32:8"), None, {}, "grid"),
        (("optimizer.lr=0.1,0.2", "batch_size=8..32:8"), 7, {}, "bayes"),
        (("optimizer.lr=log:1e-4..1", "optimizer.momentum=0..0.9"), 30, {}, "gp"),
        (("optimizer.lr=log:1e-4..1",), 31, {}, "bayes"),
        (("optimizer.lr=log:1e-4..1",), None, {}, "bayes"),
        (("optimizer.lr=log:1e-4..1",), 30, {"pruner": "asha"}, "bayes"),
        (("optimizer.lr=log:1e-4..1",), 30, {"second": "parameters"}, "bayes"),
        (("optimizer.lr=log:1e-4..1", "model.hidden=8,16"), 30, {}, "bayes"),
    ],
)
def test_auto_chooses_a_method_and_says_why(
    texts: tuple[str, ...], trials: int | None, more: dict[str, Any], method: str
) -> None:
    domains = dict(parse_assignment(text) for text in texts)
    plan = make_plan(IRIS, domains, method="auto", trials=trials, **more)
    assert plan.method == method
    assert plan.because
    assert plan_from_dict(plan.to_dict()) == plan
    assert not make_plan(IRIS, domains, method="random", trials=trials, **more).because


@pytest.mark.parametrize(
    ("trials", "pruner", "random"), [(10, "none", 3), (30, "none", 10), (None, "none", 10), (10, "asha", 10)]
)
def test_a_study_of_few_trials_learns_from_its_fourth_on(
    trials: int | None, pruner: Any, random: int
) -> None:
    base = configuration.from_dict({"data": "iris", "model": "mlp"})
    plan = make_plan(
        base, {"optimizer.lr": {"low": 0.1, "high": 1}}, method="bayes", trials=trials, pruner=pruner
    )
    study = optuna.create_study(sampler=make_sampler(plan))
    drawn = 0
    while True:
        trial = Trial(study, study._storage.create_new_trial(study._study_id, running(drawn)))
        if trial.relative_params:
            break
        study.tell(trial, suggest(plan.space, trial)["optimizer.lr"])
        drawn += 1
    assert drawn == random


def running(number: int) -> FrozenTrial:
    return create_trial(state=TrialState.RUNNING, user_attrs={TRIAL: number})
