"""Preview of a configuration: facts of its data, layers of its network, mismatches.

All of it is slow (it imports torch and reads datasets), so it belongs on a thread; `Preview` itself is light.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.config.schema import FAMILIES, TrainConfig
from core.data.dataset import no_progress
from core.data.registry import DataConfig, default_root, load
from core.errors import ConfigError, ModelError, TorchtuiError, UserCodeError
from core.losses import Auto
from core.models.registry import outline
from core.options import Options, choices, code_fields, default_of
from core.remedies import worded
from core.session.preflight.finding import Finding
from core.tasks.losses import resolve_loss
from core.tasks.registry import CUSTOM
from core.user_code.loading import references, version
from tui.forms.data_overview import DataFacts, data_facts
from tui.forms.form_fields import show
from tui.forms.remedies import app_words

if TYPE_CHECKING:
    from core.data.tables.targets.choose import Candidate
    from core.models.registry import ModelConfig
    from core.models.summary import ModelSummary

__all__ = ["Fix", "Memory", "Preview", "Previewer", "Problem"]

BYTES = 4
"""Of one float32."""
MAX_TRIED_BYTES = 256 << 20
"""Of data that is read again to try a network; with more, it is tried when the run starts."""


@dataclass(frozen=True)
class Fix:
    """A value of a field that would fit."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"use {self.text}" if self.text else "leave it empty"


@dataclass(frozen=True)
class Problem:
    """Valid fields that do not go together. `path` is that of the field to change."""

    path: str
    message: str
    fix: Fix | None = None


@dataclass(frozen=True)
class Memory:
    """Bytes that training holds on the device, apart from activations. `mean`: of the running mean of the weights.

    With `is_divided`, all but the data is divided among the processes of the run.
    """

    weights: int
    gradients: int
    optimizer: int
    mean: int
    data: int
    is_divided: bool = False

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.mean + self.data


@dataclass(frozen=True)
class Preview:
    """Preview of a configuration; unknown parts are None.

    Attributes:
        note: why parts are unknown although nothing is wrong.
        targets: columns of a table to choose the target from, if none stands out.
        findings: of pre-flight, for code of the user's that nothing else is wrong with.
    """

    config: TrainConfig
    facts: DataFacts | None = None
    model: "ModelSummary | None" = None
    memory: Memory | None = None
    problems: tuple[Problem, ...] = ()
    note: str = ""
    targets: "tuple[Candidate, ...]" = ()
    findings: tuple[Finding, ...] = ()

    @property
    def steps_per_epoch(self) -> int:
        """0 while the size of the data is not known."""
        return self.config.training.steps_per_epoch(self.facts.sizes["train"]) if self.facts else 0


class Previewer:
    """Computes previews, one at a time, and caches the facts of the last dataset.

    Args:
        root: folder of downloaded data sets; by default the usual one.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root or default_root()
        self._known: tuple[tuple[DataConfig, str], DataFacts] | None = None

    def compute(self, config: TrainConfig) -> Preview:
        """Return the preview of a configuration; never download, never change torch's random state."""
        from core.session.fit import config_problems, data_problems

        problems = [_at_field(config, error, None) for error in config_problems(config)]
        try:
            if not config.data.available(self.root):
                return Preview(config, problems=tuple(problems), note=config.data.preparation)
            facts = self._facts(config.data)
        except TorchtuiError as error:
            problems.append(_with_default(config, _problem(error, _chooser("data", config.data))))
            return Preview(config, problems=tuple(problems), targets=getattr(error, "candidates", ()))
        try:
            freeze = partial(config.optimizer.freeze, more=config.loss.name == "python")
            model = outline(config.model, facts.sample, config.loss.outputs(facts.outputs), freeze)
        except (ModelError, UserCodeError, ConfigError) as error:
            problems += [_at_field(config, other, facts) for other in data_problems(config, facts)]
            problems.append(_problem(error, _chooser("model", config.model), _fitting_model(facts, config)))
            return Preview(config, facts, problems=tuple(problems))
        learned = replace(facts, task=CUSTOM) if model.has_own_step else facts
        problems += [_at_field(config, error, learned) for error in data_problems(config, learned)]
        try:
            memory = _memory(config, model, facts.size)
        except TorchtuiError as error:
            problems.append(_problem(error, _chooser("optimizer", config.optimizer)))
            return Preview(config, facts, model, problems=tuple(problems))
        return Preview(config, facts, model, memory, tuple(problems))

    def tried(self, preview: Preview, is_idle: Callable[[], bool]) -> Preview:
        """Return a preview with the findings of pre-flight, for code of the user's.

        Args:
            is_idle: returns false while a run trains in this process: both would draw from the same random numbers.
        """
        config, facts = preview.config, preview.facts
        if facts is None or preview.memory is None or preview.problems or facts.size > MAX_TRIED_BYTES:
            return preview
        if not config.training.preflight or not references(config):
            return preview
        import torch

        from core.doctor.network import check_network
        from core.random_state import keeping_random_state
        from core.session.preparation import DRAWING

        with DRAWING, keeping_random_state(torch.device("cpu")):
            if not is_idle():
                return preview
            return replace(preview, findings=tuple(check_network(config, self.root, no_progress)))

    def _facts(self, config: DataConfig) -> DataFacts:
        key = (config, version(config))
        if self._known is None or self._known[0] != key:
            self._known = (key, data_facts(load(config, self.root, examine=True)))
        return self._known[1]


def _problem(error: TorchtuiError, path: str, fix: Fix | None = None) -> Problem:
    """A problem at the field that the message names, as messages do, or at `path`."""
    start, _, rest = error.message.partition(": ")
    section, _, key = start.partition(".")
    named = section in TrainConfig.model_fields and all(map(str.isidentifier, key.split(".")))
    text = rest if named else error.message
    hint = worded(error.hint, app_words)
    return Problem(start if named else path, f"{text}. {hint}" if hint else text, fix)


def _at_field(config: TrainConfig, error: TorchtuiError, facts: DataFacts | None) -> Problem:
    """Return the problem of settings that do not fit, with its fix: another loss, or the default of the field."""
    problem = _problem(error, "training.device")
    if problem.path == "loss.name" and facts is not None:
        return replace(problem, fix=Fix("loss.name", resolve_loss(Auto(), facts.task).name))
    return _with_default(config, problem)


def _with_default(config: TrainConfig, problem: Problem) -> Problem:
    """Return the problem, with the default of its field as its fix."""
    return replace(problem, fix=_back_to_default(config, problem.path))


def _chooser(section: str, chosen: Options) -> str:
    """Return the path of the field that chooses a section's class: its name, or the user's code."""
    return f"{section}.{(code_fields(type(chosen)) or ['name'])[0]}"


def _back_to_default(config: TrainConfig, path: str) -> Fix | None:
    """Return the default of a changed field as a fix; never suggest another dataset, or no file."""
    section, _, key = path.partition(".")
    chosen = getattr(config, section)
    default = default_of(type(chosen).model_fields[key])
    if key in ("name", "path") or getattr(chosen, key) == default:
        return None
    return Fix(path, show(default))


def _fitting_model(facts: DataFacts, config: TrainConfig) -> Fix | None:
    """Return the first network that accepts this data with default settings; the default of the data comes first."""
    default = config.data.model_for(dict(config.data))
    known = choices(FAMILIES["model"])
    for name in sorted(known, key=lambda name: name != default):
        try:
            outline(cast("ModelConfig", known[name]()), facts.sample, facts.outputs)
        except ModelError:
            continue
        return Fix("model.name", name)
    return None


def _memory(config: TrainConfig, model: "ModelSummary", data: int) -> Memory:
    weights, gradients = BYTES * model.parameters, BYTES * model.trainable
    optimizer = gradients * config.optimizer.numbers_kept()
    mean = weights if config.training.ema else 0
    is_divided = config.training.shard != "none"
    return Memory(weights, gradients, optimizer, mean, data, is_divided)
