"""Every option of a training run, once. Forms, flags, YAML and the JSON schema derive from `TrainConfig`."""

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
)

from core.config.checkpoints import KeptCheckpoints
from core.config.evaluation import Evaluated
from core.data.builtin.tables import Digits
from core.data.registry import DataConfig
from core.errors import ConfigError
from core.field_errors import as_config_error
from core.files.reading import read_text
from core.losses import Auto, LossConfig
from core.metrics import METRICS, name_of_metric, nearest_metric
from core.models.mlp import Mlp
from core.models.registry import ModelConfig
from core.optimizers import Momentum, OptimizerConfig
from core.options import Code, Options, Unit, choices
from core.remedies import VALID_CONFIG
from core.schedules import Constant, ScheduleConfig

__all__ = [
    "FAMILIES",
    "METRIC_ARGUMENTS",
    "TrainConfig",
    "Training",
    "from_dict",
    "in_full",
    "json_schema",
    "merge",
    "read_yaml",
    "sections_to_yaml",
    "set_path",
    "to_dict",
    "to_yaml",
]

FAMILIES: Mapping[str, Any] = {
    "data": DataConfig,
    "model": ModelConfig,
    "loss": LossConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
}
"""The sections whose fields depend on a chosen ``name``, and the union each is chosen from."""

METRIC_ARGUMENTS = "metric_arguments"
"""The field of the training section with the arguments of several metrics, each by name."""
NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
QUICK_TEXT = 8192
"""Characters of a text that libyaml reads: it recurses without a limit, and so few cannot nest deep enough to hurt."""
"""What reading YAML raises; ValueError for dates and numbers that only look right, such as 2020-13-45."""
QUOTES = ("'", '"', "!!str")
"""What makes a text of a YAML value that looks like a number."""
MAX_VALUES = 10_000
"""In a file. A few lines of aliases of aliases stand for millions, on which checking and telling them would choke."""


def _listed(given: Any) -> Any:
    """A text as a list of what it separates by commas."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


def _known(metrics: tuple[str, ...]) -> tuple[str, ...]:
    """Check that each is a metric, and that no two are reported under one name."""
    for metric in metrics:
        is_code = re.match(Code.PATTERN, metric)
        if not is_code and metric not in METRICS:
            raise ValueError(f"no such metric '{metric}'; {nearest_metric(metric, METRICS)}")
        name = name_of_metric(metric)
        if is_code and name in METRICS:
            raise ValueError(f"{metric} has the name of a built-in metric; Rename it")
        if [name_of_metric(other) for other in metrics].count(name) > 1:
            raise ValueError(f"'{name}' is there twice; Give each metric once, and own ones different names")
    return metrics


MetricNames = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_known), Code()]
"""Names of metrics, and references to the user's own, all reported under different names."""


class Training(Options):
    """Length, steps and device of a training."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Passes over the training data."""
    min_steps: Annotated[int, Field(ge=0, le=1_000_000_000), Unit("steps")] = 0
    """Fewest steps: where epochs have too few, on small data, there are more of them; 0 keeps the epochs."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000), Unit("samples")] = 64
    """Samples per batch."""
    drop_last: bool = False
    """Leave out the last batch of an epoch if it has fewer samples than the others."""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    """Where to compute: auto, cpu, cuda, cuda:0, cuda:1 ..., or mps."""
    threads: Literal["auto"] | Annotated[int, Field(ge=1, le=1024)] = "auto"
    """CPU threads per operation; auto times a few steps at several counts and takes the fastest."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Seed of the weights and of the batch order; same seed and threads, same weights."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """How an epoch samples: shuffled takes each sample once, balanced draws equally many of each class."""
    patience: Annotated[int, Field(ge=0), Unit("epochs")] = 0
    """Epochs without improvement in the monitored metric before the run stops early; 0 disables early stopping."""
    min_delta: Annotated[float, Field(ge=0)] = 0.0
    """Smallest change in the monitored metric that patience counts as an improvement."""
    metrics: MetricNames = ()
    """Validation metrics to report each epoch beside loss and accuracy or R2: f1_macro, roc_auc, mae, FILE.py:NAME."""
    metric_arguments: dict[str, dict[str, Any]] = {}
    """Arguments of your own metrics by the name of each, such as {Fbeta: {beta: 2}}."""
    monitor: Annotated[str, Field(pattern=r"^[A-Za-z_][\w./@-]*$")] = "loss"
    """Validation metric that selects the best epoch and that patience watches: loss, accuracy, r2, or another one."""
    clip_norm: Annotated[float, Field(ge=0)] = 0.0
    """Largest gradient norm over all weights; larger gradients are scaled down to it. 0 disables clipping."""
    accumulate: Annotated[int, Field(ge=1, le=10_000), Unit("batches")] = 1
    """Batches whose gradients are accumulated per step: 4 batches of 16 equal one of 64, in less memory."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Decay of the exponential moving average of the weights, which is validated, saved and evaluated; 0: off."""
    max_minutes: Annotated[float, Field(ge=0), Unit("minutes")] = 0.0
    """Time limit for training, over all sessions of the run; then it stops early. 0 is no limit."""
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    """Numbers to compute in: tf32 on NVIDIA's tensor cores, bf16 and fp16 by autocast, fp16 with a scaled loss."""
    channels_last: bool = False
    """Store images channels-last in memory, which convolutions on GPUs prefer."""
    compile: bool = False
    """Compile the network with torch.compile: a slow start, then faster steps."""
    cuda_graphs: Literal["auto", "on", "off"] = "auto"
    """Launch a step's kernels all at once: auto does for small networks on NVIDIA GPUs, whose results stay the same."""
    deterministic: bool = False
    """Use only operations whose results are identical bit for bit in every run, also on a GPU; slower."""
    watch_layers: bool = False
    """Report norms, updates and dead units of each layer every few seconds, as y in Live does."""
    baselines: Literal["auto", "none"] = "auto"
    """Simple models beside the run, trained in seconds after it: boosting and a linear model for tables; none: off."""
    preflight: bool = True
    """Try an own network on the first and the last batch, in both modes, before the run starts."""
    on_divergence: Literal["stop", "continue"] = "stop"
    """What to do when the loss becomes NaN or infinite."""
    checkpoint_minutes: Annotated[float, Field(gt=0), Unit("minutes")] = 5.0
    """Maximum time between two checkpoints within an epoch."""

    def with_min_steps(self, samples: int) -> "Training":
        """Return these settings for so many training samples, with `min_steps` as epochs."""
        each = self.steps_per_epoch(samples)
        if not self.min_steps or not each:
            return self
        return self.model_copy(
            update={"epochs": max(self.epochs, -(-self.min_steps // each)), "min_steps": 0}
        )

    @property
    def step_samples(self) -> int:
        """Samples of one step; the last one of an epoch may have fewer."""
        return self.batch_size * self.accumulate

    def samples_per_epoch(self, samples: int) -> int:
        """Samples of one pass over so many: without the last batch if that one is dropped."""
        return samples // self.batch_size * self.batch_size if self.drop_last else samples

    def steps_per_epoch(self, samples: int) -> int:
        """Steps of one pass over so many samples."""
        return -(-self.samples_per_epoch(samples) // self.step_samples)


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
        return TrainConfig.model_validate(_with_names(_with_suggestions(values)))
    except ValidationError as error:
        raise as_config_error(error, TrainConfig) from None


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """Nested plain values, fit for JSON and YAML, that `from_dict` reads back."""
    return config.model_dump(mode="json")


def to_yaml(config: TrainConfig) -> str:
    """The whole configuration as YAML, ``name`` first in each section."""
    return sections_to_yaml(to_dict(config))


def sections_to_yaml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Sections of plain values as YAML, ``name`` first in each."""
    named_first = {
        key: dict(sorted(section.items(), key=lambda item: item[0] != "name"))
        for key, section in sections.items()
    }
    # libyaml is several times as fast, but escapes some characters that readers would rather see.
    quick = json.dumps(named_first, ensure_ascii=False).isascii()
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper) if quick else yaml.SafeDumper
    return str(yaml.dump(named_first, Dumper=dumper, sort_keys=False, allow_unicode=True))


def read_yaml(path: Path, *, follow_links: bool = True) -> dict[str, Any]:
    """The nested values of a YAML (or JSON) file.

    Args:
        follow_links: whether it may be a link, as a user's file may, but not a run's.

    Raises:
        ConfigError: the file is missing, is not YAML, or is not a mapping.
    """
    try:
        values = _parsed(read_text(path, follow_links=follow_links))
        size = _written_out(values, {})
    except OSError as error:
        raise ConfigError(
            f"config: cannot read {path}: {error.strerror}", "Give the path of a YAML file"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"config: {path} is not a text file", (VALID_CONFIG,)) from None
    except NOT_YAML as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"config: {path} is not YAML{where}", (VALID_CONFIG,)) from None
    if size > MAX_VALUES:
        raise ConfigError(f"config: {path} holds more than {MAX_VALUES:,} values", (VALID_CONFIG,))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"config: {path} has no sections such as `data:`", (VALID_CONFIG,))
    return values


def _parsed(text: str) -> Any:
    """Return the values of a YAML text; of a short one by libyaml, as PyYAML alone says well where a mistake is."""
    if yaml.__with_libyaml__ and len(text) <= QUICK_TEXT:
        with suppress(*NOT_YAML):
            return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)


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


def in_full(section: str, given: Any) -> Any:
    """Write out what is given for the section of a family.

    ``data: mnist`` is short for ``data: {name: mnist}``, and ``data: my.csv``, also as a name, for
    ``data: {name: csv, path: my.csv}``. A field may turn one choice into another; see `Options.claims`.
    """
    fields = {"name": given} if isinstance(given, str) else given
    name = fields.get("name") if isinstance(fields, Mapping) else None
    known = choices(FAMILIES[section])
    if not isinstance(name, str) or not isinstance(fields, Mapping):
        return fields
    if name in known:
        claiming = (choice for choice, option in known.items() if option.claims(fields))
        return {**fields, "name": next(claiming, name)}
    meant = ((choice, option.fields_for(name)) for choice, option in known.items())
    return next(({**fields, "name": choice, **stands} for choice, stands in meant if stands), fields)


def _written_out(value: Any, known: dict[int, float]) -> float:
    """Count nested values with all aliases written out; infinite where one contains itself."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = math.inf
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_written_out(item, known) for item in inner)
    return known[id(value)]


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


def _with_suggestions(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the model that goes with the data, and the settings that go with the model, where none are given.

    Of the training section only `min_steps` is suggested, in place of epochs: where epochs are given they stay.
    """
    found = _with_sections(values)
    data, given = _choice_of("data", found), found.get("model")
    fields = choices(FAMILIES["model"])[data.MODEL].model_fields if data is not None else {}
    if data is not None and (
        given is None or (isinstance(given, Mapping) and {*given} <= {*fields} - {"name"})
    ):
        found["model"] = {"name": data.MODEL, **(given or {})}
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
    return choices(FAMILIES[section]).get(name) if isinstance(name, str) else None
