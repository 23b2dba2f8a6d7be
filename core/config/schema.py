"""Every option of a training run, once. Forms, flags, YAML and the JSON schema derive from `TrainConfig`."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from pydantic import ValidationError

from core.config.checkpoints import KeptCheckpoints
from core.config.evaluation import Evaluated
from core.config.training import METRIC_ARGUMENTS, Training
from core.config.yaml_files import NOT_YAML, sections_to_yaml
from core.data.builtin.tables import Digits
from core.data.registry import DataConfig
from core.errors import ConfigError
from core.field_errors import as_config_error
from core.losses import Auto, LossConfig
from core.models.mlp import Mlp
from core.models.registry import ModelConfig
from core.optimizers import Momentum, OptimizerConfig
from core.options import Options, choices
from core.schedules import Constant, ScheduleConfig

__all__ = [
    "FAMILIES",
    "TrainConfig",
    "from_dict",
    "in_full",
    "json_schema",
    "merge",
    "set_path",
    "to_dict",
    "to_given",
    "to_yaml",
    "with_suggestions",
]

FAMILIES: Mapping[str, Any] = {
    "data": DataConfig,
    "model": ModelConfig,
    "loss": LossConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
}
"""The sections whose fields depend on a chosen ``name``, and the union each is chosen from."""

QUOTES = ("'", '"', "!!str")
"""What makes a text of a YAML value that looks like a number."""


class TrainConfig(Options):
    """One training run: data, model, loss, optimizer, schedule, training, checkpoints and evaluation."""

    data: DataConfig = Digits()
    """What to learn from."""
    model: ModelConfig = Mlp()
    """The network."""
    loss: LossConfig = Auto()
    """What training minimises."""
    optimizer: OptimizerConfig = Momentum()
    """How the weights follow the gradient."""
    schedule: ScheduleConfig = Constant()
    """How the learning rate changes over the run."""
    training: Training = Training()
    """Length, batches, device, seed."""
    checkpoints: KeptCheckpoints = KeptCheckpoints()
    """Which epochs can be returned to."""
    evaluation: Evaluated = Evaluated()
    """What the best weights are evaluated on."""

    @property
    def evaluated_splits(self) -> tuple[str, ...]:
        """Splits that a complete run is evaluated on; in cross-validation the test split stays untouched."""
        only_validation = self.data.folds or self.evaluation.test == "never"
        return ("validation",) if only_validation else ("validation", "test")


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """The configuration that nested plain values describe; what is missing takes its default.

    Raises:
        ConfigError: a key is unknown or a value out of range; the message names the field.
    """
    try:
        return TrainConfig.model_validate(_with_names(with_suggestions(values)))
    except ValidationError as error:
        raise as_config_error(error, TrainConfig) from None


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """Nested plain values, fit for JSON and YAML, that `from_dict` reads back."""
    return config.model_dump(mode="json")


def to_given(config: TrainConfig) -> dict[str, Any]:
    """The same as `to_dict`, with None for a model that nobody has named: what it is trained on decides."""
    return to_dict(config) | ({} if "model" in config.model_fields_set else {"model": None})


def to_yaml(config: TrainConfig) -> str:
    """The whole configuration as YAML, ``name`` first in each section."""
    return sections_to_yaml(to_dict(config))


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values of `base` with those of `over` laid on top.

    A section in which `over` chooses another ``name`` starts from that choice's defaults: the learning rate of
    one optimizer is not meant for another.
    """
    merged = _with_sections(base)
    for key, value in _with_sections(over).items():
        below = merged.get(key)
        if not isinstance(value, Mapping) or not isinstance(below, Mapping):
            merged[key] = value
        elif "name" in value and value["name"] != _name_in(key, below):
            merged[key] = dict(value)
        else:
            merged[key] = {
                **below,
                **{name: _within(name, below.get(name), new) for name, new in value.items()},
            }
    return merged


def _within(field: str, old: Any, new: Any) -> Any:
    """A field's new value; of a field of nested values, such as a model's arguments, those not given stay."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    if field == METRIC_ARGUMENTS:
        new = {metric: _within("", old.get(metric), arguments) for metric, arguments in new.items()}
    return {**old, **new}


def set_path(values: Mapping[str, Any], assignment: str) -> dict[str, Any]:
    """`values` with one ``path=value`` laid on top; the value is read as YAML, and what is quoted stays text.

    A field of the training section may be given without ``training.``.

    Raises:
        ConfigError: the text is not an assignment, or its value is not YAML.
    """
    path, equals, text = assignment.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError(
            f"'{assignment}' is not an assignment", "Write PATH=VALUE, such as optimizer.lr=0.1"
        )
    if len(keys) == 1 and keys[0] in Training.model_fields:
        keys = ["training", *keys]
    try:
        value = yaml.safe_load(text)
    except NOT_YAML:
        raise ConfigError(
            f"{path}: cannot read the value '{text}'", "Write it as in YAML, such as [256, 128]"
        ) from None
    if isinstance(value, str) and not text.lstrip().startswith(QUOTES):
        value = _number_or_text(value)
    nested: Any = value
    for key in reversed(keys):
        nested = {key: nested}
    return merge(values, nested)


def json_schema() -> str:
    """The JSON schema of a configuration file, for editors that complete and check."""
    return json.dumps(TrainConfig.model_json_schema(), indent=2)


@cache
def _family(section: str) -> Mapping[str, type[Options]]:
    """The choices of a section by their names."""
    return choices(FAMILIES[section])


def in_full(section: str, given: Any) -> Any:
    """Write out what is given for the section of a family.

    ``data: mnist`` is short for ``data: {name: mnist}``, and ``data: my.csv``, also as a name, for
    ``data: {name: csv, path: my.csv}``. A field may turn one choice into another; see `Options.claims`.
    """
    fields = {"name": given} if isinstance(given, str) else given
    name = fields.get("name") if isinstance(fields, Mapping) else None
    known = _family(section)
    if not isinstance(name, str) or not isinstance(fields, Mapping):
        return fields
    if name in known:
        claiming = (choice for choice, option in known.items() if option.claims(fields))
        return {**fields, "name": next(claiming, name)}
    meant = ((choice, option.fields_for(name)) for choice, option in known.items())
    return next(({**fields, "name": choice, **stands} for choice, stands in meant if stands), fields)


def _number_or_text(text: str) -> float | str:
    """Numbers such as ``1e-3``, which YAML 1.1 takes for text, as numbers."""
    try:
        return float(text)
    except ValueError:
        return text


def _name_in(section: str, values: Mapping[str, Any]) -> Any:
    default = TrainConfig.model_fields[section].default if section in FAMILIES else None
    return values.get("name", getattr(default, "name", None))


def _with_sections(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with all that is given in short written out; see `in_full`."""
    return {key: in_full(key, value) if key in FAMILIES else value for key, value in values.items()}


def _with_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the default ``name`` put into sections that give fields but no name."""
    named = _with_sections(values)
    for section in FAMILIES:
        given = named.get(section)
        if isinstance(given, Mapping) and "name" not in given:
            named[section] = {"name": _name_in(section, given), **given}
    return named


def with_suggestions(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the model that goes with the data, and the settings that go with the model, where none are given.

    Of the training section only `min_steps` is suggested, in place of epochs: where epochs are given they stay.
    """
    found = _with_sections(values)
    if found.get("model", {}) is None:
        del found["model"]
    data, given = _choice_of("data", found), found.get("model") or {}
    if data is not None and isinstance(given, Mapping) and "name" not in given:
        model = data.model_for(found.get("data", {}))
        usual = not given and model == TrainConfig.model_fields["model"].default.name
        if not usual and {*given} <= {*_family("model")[model].model_fields}:
            found["model"] = {"name": model, **given}
    for section, suggested in getattr(_choice_of("model", found), "SUGGESTS", {}).items():
        given = found.get(section, {})
        names = {"name"} if section in FAMILIES else {"epochs", *suggested}
        if isinstance(given, Mapping) and not names & {*given}:
            found[section] = {**suggested, **given}
    return found


def _choice_of(section: str, values: Mapping[str, Any]) -> Any:
    """The class of the choice in a section; None where there is no such choice."""
    given = values.get(section, {})
    name = _name_in(section, given) if isinstance(given, Mapping) else None
    return _family(section).get(name) if isinstance(name, str) else None
