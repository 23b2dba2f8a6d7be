"""The search form without a screen: ranges as text, and the study they describe."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from core.config.formatting import format_setting
from core.config.schema import FAMILIES, TrainConfig
from core.counting import counted
from core.errors import ConfigError
from core.metrics import is_own, name_of_metric
from core.options import choices
from core.remedies import worded
from core.slurm.settings import SlurmSettings
from core.tuning.search.auto import AUTO
from core.tuning.search.plan import Direction, Plan, Pruner, make_plan
from core.tuning.search.ranges import default_domains, parse_domain
from core.tuning.search.space import Choices, Domain, SearchSpace, build_space
from tui.forms.form import check, fill, valid_part
from tui.forms.form_fields import FieldSpec, fields_in
from tui.forms.remedies import app_words
from tui.forms.search_settings import NONE
from tui.forms.search_texts import ALL, DEFAULT_TRIALS, Given, Search, read_given
from tui.terminal.text import clean, count

__all__ = ["SearchState", "default_search", "own_metrics", "review", "searchable"]

SECTIONS = ("model", "loss", "optimizer", "schedule", "training")
"""All trials share their data: that section cannot be searched."""
MAX_VALUES = 1000
"""Maximum values of a range with a step: more are a mistake, and checking each would block the screen."""
ELSEWHERE = {"ray": ", on a Ray cluster", "slurm": ", in jobs of Slurm"}
NO_PROBLEMS: Mapping[str, str] = {}
EXAMPLE = "such as 1e-4..1, log:1e-4..1, 16..256:16 or 64,128"


@dataclass(frozen=True)
class SearchState:
    """State of a search form.

    Attributes:
        plan: when a study can start. given: what the settings say.
        problems: errors, by path or by the name of the setting.
        hints: descriptions of valid ranges, by path.
        sentence: why it cannot start, or a description of the study.
    """

    plan: Plan | None = None
    given: Given = field(default_factory=Given)
    problems: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""


def default_search(values: Mapping[str, Any], method: str = AUTO) -> Search:
    """Return the initial form for the configuration in nested values, or the nearest valid one."""
    config = _nearest(values)
    domains = default_domains(config, grid=method == "grid")
    ranges = {path: _text(domain) for path, domain in build_space(config, domains).to_dict().items()}
    return Search(ranges, method, trials=ALL if method == "grid" else DEFAULT_TRIALS)


def searchable(values: Mapping[str, Any], ranges: Mapping[str, str]) -> dict[str, FieldSpec]:
    """Every field that can be searched, by path: those of the chosen model, optimizer ... and of all searched ones."""
    config = _nearest(values)
    found: dict[str, FieldSpec] = {}
    for section in SECTIONS:
        chosen = getattr(getattr(config, section), "name", "")
        searched = [name.strip() for name in ranges.get(f"{section}.name", "").split(",")]
        known = choices(FAMILIES[section]) if section in FAMILIES else ()
        for name in (chosen, *(name for name in searched if name in known)):
            texts = {f"{section}.name": name}
            if name == chosen and name:  # which may name the user's code: its arguments can be searched, too
                texts = fill({section: dict(getattr(config, section))})[0]
            found |= {spec.path: spec for spec in fields_in(section, texts) if spec.path not in found}
    return found


def own_metrics(values: Mapping[str, Any]) -> list[str]:
    """Return the names of the user's own metrics that trials report."""
    return [name_of_metric(metric) for metric in _nearest(values).training.metrics if is_own(metric)]


def review(
    values: Mapping[str, Any],
    search: Search,
    job: SlurmSettings | None = None,
    beside: Mapping[str, str] = NO_PROBLEMS,
) -> SearchState:
    """Check the form.

    Args:
        values: the configuration of everything that is not searched, nested, valid or not.
        job: settings of the jobs of Slurm, where trials train in those.
        beside: what is wrong with these settings, by path.
    """
    config, invalid = check(values)
    if config is None:
        path, message = next(iter(invalid.items()))
        return SearchState(sentence=f"Can't start: {path} in the form: {message}. Press 2 to edit it")
    problems, domains = _read(search.ranges)
    spaces = {path: _space(config, domains, path, problems) for path in domains}
    hints = {path: _holds(space.domains[path]) for path, space in spaces.items() if space is not None}
    given = replace(read_given(search, problems), job=job)
    problems |= beside
    if not search.ranges:
        return SearchState(
            problems=problems, sentence="Can't start: no field to search. Press ctrl+n to add one"
        )
    plan = None
    if not problems:
        plan = _plan(config, domains, search, given, problems)
    if plan is None:
        return SearchState(None, given, problems, hints, _waits(problems))
    words = _will_be(plan, given) + ELSEWHERE.get(search.executor, "")
    return SearchState(plan, given, problems, hints, words)


def _nearest(values: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration, with defaults in place of invalid values."""
    config, invalid = check(values)
    return config or check(valid_part(values, invalid))[0] or TrainConfig()


def _read(ranges: Mapping[str, str]) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """Return the problems of texts that are not ranges, and the plain domains of the others."""
    problems: dict[str, str] = {}
    domains: dict[str, dict[str, Any]] = {}
    for path, text in ranges.items():
        try:
            domain = parse_domain(text)
        except ValueError:
            problems[path] = f"not a range {EXAMPLE}" if text.strip() else f"enter a range {EXAMPLE}"
            continue
        if _points(domain) > MAX_VALUES:
            problems[path] = f"more than {count(MAX_VALUES)} values: use a larger step"
        else:
            domains[path] = domain
    return problems, domains


def _points(domain: Mapping[str, Any]) -> float:
    """About how many values a plain range with a step has."""
    low, high, step = domain.get("low", 0), domain.get("high", 0), domain.get("step", 0)
    if not domain.get("log"):
        return float((high - low) / step) if step > 0 else 0.0
    return math.log(high / low) / math.log(step) if high > low > 0 and step > 1 else 0.0


def _space(
    config: TrainConfig, domains: Mapping[str, Any], path: str, problems: dict[str, str]
) -> SearchSpace | None:
    """Return the space of one path, with the names it depends on; record its errors."""
    names = {key: domain for key, domain in domains.items() if key.endswith(".name") and key not in problems}
    try:
        return build_space(config, {**names, path: domains[path]})
    except ConfigError as error:
        problems[path] = _without_path(error, path)
        return None


def _plan(
    config: TrainConfig,
    domains: Mapping[str, Any],
    search: Search,
    given: Given,
    problems: dict[str, str],
) -> Plan | None:
    """Return the plan of a form whose parts are valid individually; record conflicts between them."""
    grid = search.method == "grid"
    space = build_space(config, domains)
    sizes = {path: _size(domain) for path, domain in space.domains.items()} if grid else {}
    if any(size > MAX_VALUES for size in sizes.values() if size != math.inf):
        path = max((path for path in sizes if sizes[path] != math.inf), key=lambda path: sizes[path])
        problems[path] = f"{count(int(sizes[path]))} values are too many for a grid: add a step"
        return None
    try:
        return make_plan(
            config,
            domains,
            method=cast(Any, search.method),
            pruner=cast(Pruner, search.pruner),
            metric=search.metric,
            direction=None if search.direction == AUTO else cast(Direction, search.direction),
            second="" if search.second == NONE else search.second,
            where=tuple(part.strip() for part in search.where.split(",") if part.strip()),
            trials=given.trials,
            keep=given.keep,
            patience=given.patience,
            max_epochs=given.max_epochs,
        )
    except ConfigError as error:
        place, _, _ = error.message.partition(":")
        key = place.removeprefix("--").partition(" ")[0]
        problems[key] = _without_path(error, place)
        return None


def _size(domain: Domain) -> float:
    """Count the values of a domain without making them."""
    if isinstance(domain, Choices):
        return len(domain.values)
    step = domain.step or (1 if domain.whole and not domain.log else None)
    return math.inf if step is None else math.floor((domain.high - domain.low) / step + 1e-9) + 1


def _waits(problems: Mapping[str, str]) -> str:
    (path, message), *others = problems.items()
    more = f" (and {len(others)} more)" if others else ""
    return f"Can't start: {path}{more}: {message}"


def _will_be(plan: Plan, given: Given) -> str:
    """Describe what a study will do; the size of a grid first."""
    jobs = given.where.jobs
    at_once = f", {jobs} at once" if jobs is not None and jobs > 1 else ""
    if plan.method == "grid":
        size = plan.space.grid_size()
        part = "all of them" if plan.trials == size else f"{count(plan.trials or 0)} of them"
        return f"ready: {count(size)} combinations, {part}{at_once}"
    least = 0 if "training.epochs" in plan.space.domains else plan.space.base.training.min_steps
    each = (
        f"{counted(plan.epochs, 'epoch')}{f', or {count(least)} steps where that is more' if least else ''}"
    )
    epochs = f"up to {each}" if plan.pruned_by_epoch else each
    by = f", by {plan.method}" if plan.because else ""
    trials = counted(plan.trials, "trial") if plan.trials else "as many trials as the limits allow,"
    return f"ready: {trials} of {epochs}{by}{at_once}"


def _holds(domain: Domain) -> str:
    """Describe a range in a few words."""
    if isinstance(domain, Choices):
        return counted(len(domain.values), "value")
    if domain.step is not None or (domain.whole and not domain.log):
        return counted(int(_size(domain)), "value")
    if not domain.log:
        return "whole numbers" if domain.whole else "any number"
    decades = round(math.log10(domain.high / domain.low), 1)
    return f"log, {decades:g} decade{'s' * (decades != 1)}"


def _without_path(error: ConfigError, path: str) -> str:
    """Return a problem as displayed beside its field."""
    message = error.message.removeprefix(f"{path}:").strip()
    hint = worded(error.hint, app_words)
    return f"{message}. {hint}" if hint else message


def _text(domain: Mapping[str, Any]) -> str:
    """Return a plain domain as text that `parse_domain` reads back."""
    if "choices" in domain:
        return _listed(domain["choices"])
    log = "log:" if domain.get("log") else ""
    step = f":{_value(domain['step'])}" if domain.get("step") else ""
    return f"{log}{_value(domain['low'])}..{_value(domain['high'])}{step}"


def _listed(values: Iterable[Any]) -> str:
    return ",".join(map(_value, values))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return _value(value[0]) if len(value) == 1 else f"[{_listed(value)}]"
    return clean(format_setting(value))
