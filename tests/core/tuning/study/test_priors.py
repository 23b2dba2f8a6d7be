"""Prior knowledge of a study, before it draws: points, runs, other studies, ranges that change."""

from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.errors import ConfigError
from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan, make_plan
from core.tuning.search.points import parse_point, point_of
from core.tuning.starting import change_study
from core.tuning.study.attempts import LEARNED_FROM
from core.tuning.study.claims import Claims, record_result
from core.tuning.study.presence import Presence
from core.tuning.study.priors import add_trial, learn_from, learned_from, start_with_current
from core.tuning.study.sampled import seen_by_sampler
from core.tuning.study.study import TuningStudy, create_study, open_study

RATE: dict[str, Any] = {"low": 1e-3, "high": 0.1, "log": True}
SPACE = {
    "optimizer.lr": RATE,
    "model.hidden": [[8], [16, 8]],
    "training.batch_size": {"low": 16, "high": 64, "step": 16},
}
RESULT = {"state": "completed", "epochs": 1, "seconds": 1.0, "reason": "", "curve": [0.5]}


def plan_of(space: dict[str, Any] = SPACE, data: str = "iris", **facts: Any) -> Plan:
    base = configuration.from_dict({"data": data, "model": {"hidden": [8]}, "optimizer": {"lr": 0.05}})
    options: dict[str, Any] = {"method": "random", "metric": "loss", "trials": 5, **facts}
    return make_plan(base, space, **options)


def train(study: TuningStudy, count: int) -> None:
    claims = Claims(study, Presence(study.folder, study.optuna))
    for place in range(count):
        claim = claims.next()
        assert claim is not None
        assert record_result(study, claim.attempt.number, {**RESULT, "value": 0.5 + place})


def test_points_are_read_and_checked() -> None:
    space = plan_of().space
    point = parse_point(space, "lr=0.01,model.hidden=[16,8],batch_size=32", {"lr": "optimizer.lr"})
    assert point == {"optimizer.lr": 0.01, "model.hidden": [16, 8], "training.batch_size": 32}
    assert parse_point(space, "model.hidden=8,optimizer.lr=1e-2", {}) == {
        "model.hidden": [8],
        "optimizer.lr": 0.01,
    }
    for text in (
        "optimizer.lr=7",
        "optimizer.lr",
        "batch_size=17",
        "model.hidden=9",
        "model.dropout=0.1",
        "optimizer.lr=[",
        "optimizer.lr=x",
    ):
        with pytest.raises(ConfigError, match="try:"):
            parse_point(space, text, {})
    for text, words in (
        ("lr=7", "takes 0.001 to 0.1, got 7"),
        ("batch_size=17", "takes 16 to 64 in steps of 16"),
    ):
        with pytest.raises(ConfigError, match=words):
            parse_point(space, text, {"lr": "optimizer.lr", "batch_size": "training.batch_size"})
    assert point_of(space, space.base) == (
        {"optimizer.lr": 0.05, "model.hidden": [8], "training.batch_size": 64},
        [],
    )


def test_the_current_configuration_and_trials_by_hand_are_tried_first(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_of({**SPACE, "training.batch_size": [16, 32]}))
    assert "drawn are training.batch_size" in start_with_current(study)
    assert add_trial(study, {"optimizer.lr": 0.002}) == 1
    assert [(one.state, one.origin) for one in study.records()] == [
        ("interrupted", "the current configuration"),
        ("interrupted", "added by hand"),
    ]
    train(study, 5)
    first, second = study.records()[:2]
    assert (first.params["optimizer.lr"], first.params["model.hidden"]) == (0.05, [8])
    assert (second.params["optimizer.lr"], second.state) == (0.002, "completed")
    assert add_trial(study, {"optimizer.lr": 0.003}) == 5
    assert open_study(tmp_path, study.name).plan.trials == 6
    grid = create_study(tmp_path, plan_of({"model.hidden": [[8], [16]]}, method="grid"))
    assert start_with_current(grid) == ""
    with pytest.raises(ConfigError, match="a grid tries its own combinations"):
        add_trial(grid, {})


def test_trials_of_other_studies_are_learned_where_they_fit(tmp_path: Path) -> None:
    other = create_study(tmp_path, plan_of())
    train(other, 5)
    narrow = {"optimizer.lr": {**RATE, "low": 1e-5}, "model.hidden": [[8]]}
    study = create_study(tmp_path, plan_of(narrow))
    inside = sum(one.params["model.hidden"] == [8] for one in other.records())
    assert 0 < inside < 5
    assert learn_from(study, other) == f"the search knows {inside} of 5 trials of {other.name}"
    assert learn_from(study, other) == f"{other.name} is known already"
    seen = seen_by_sampler(study.plan, study.optuna.get_trials(deepcopy=False))
    assert [one.user_attrs[LEARNED_FROM] for one in seen] == [other.name] * inside
    assert study.records() == []
    refused = {
        "its data is another": plan_of(data="digits"),
        "it would minimize loss, not maximize accuracy": plan_of(metric="accuracy"),
        "it searches none of model.dropout": plan_of({"model.dropout": [0.0, 0.5]}),
        "none of its trials lies inside": plan_of({"optimizer.lr": {"low": 1e-9, "high": 1e-8}}),
    }
    for reason, plan in refused.items():
        with pytest.raises(ConfigError, match=reason):
            learned_from(plan, other)


def test_ranges_change_between_resumes_and_trials_outside_stay_known(tmp_path: Path) -> None:
    study = create_study(tmp_path, plan_of(method="bayes"))
    train(study, 5)
    best = min(one.params["optimizer.lr"] for one in study.records())
    narrower = {"optimizer.lr": {**RATE, "low": best * 1.01, "high": 0.5}}
    changed, (line,) = change_study(study, tmp_path, StudyChanges(trials=8, ranges=narrower))
    assert line.startswith("optimizer.lr is drawn from ")
    assert line.endswith(" to 0.5; 1 of 5 trials lie outside and stay known")
    assert len(changed.records()) == len(study.records()) == 5
    seen = seen_by_sampler(changed.plan, changed.optuna.get_trials(deepcopy=False))
    assert len(seen) == 4
    train(changed, 3)
    reread = open_study(tmp_path, study.name)
    assert reread.plan.space.domains["optimizer.lr"] == changed.plan.space.domains["optimizer.lr"]
    assert all(one.params["optimizer.lr"] > best for one in reread.records()[5:])
    for domains in (
        {"model.hidden": [[8]]},
        {"optimizer.lr": {"low": 1, "high": 2}},
        {"model.dropout": [0.1]},
    ):
        with pytest.raises(ConfigError, match=r"only the ends of a range|not searched by this study"):
            study.with_ranges(domains)
