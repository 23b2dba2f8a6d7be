"""Ranges as people write them, and the default ranges."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from core.config.schema import TrainConfig
from core.errors import ConfigError
from core.options import default_of

__all__ = ["default_domains", "parse_assignment", "parse_domain"]

FORM = re.compile(r"(?P<log>log:)?(?P<low>[^:,\[\]]+?)\.\.(?P<high>[^:,\[\]]+?)(?::(?P<step>[^:,\[\]]+))?")
EXAMPLE = (
    "It takes PATH=RANGE, such as optimizer.lr=log:1e-4..1, batch_size=16..256:16 or model.hidden=64,128"
)

SEARCHED: Mapping[str, Any] = {
    "optimizer.weight_decay": {"low": 1e-6, "high": 1e-1, "log": True},
    "optimizer.momentum": {"low": 0.5, "high": 0.99},
    "model.channels": [[6, 16], [16, 32], [32, 64]],
    "model.hidden": [[64], [128], [256], [128, 64], [256, 128]],
    "model.dropout": {"low": 0.0, "high": 0.5},
    "training.batch_size": [16, 32, 64, 128, 256],
}
"""What is worth a search, whatever the model and the optimizer; the learning rate comes on top."""

IN_A_GRID: Mapping[str, Any] = {
    "model.hidden": [[64], [128], [256, 128]],
    "training.batch_size": [32, 128],
}
"""The few of them that a grid can afford."""

RATE_FACTOR = 100
"""A learning rate is searched from its default divided by this to its default times this."""
LARGEST_RATE = 1.0
"""But no further than this: rates of 1 are factors to a step that the optimizer finds by itself."""


def parse_assignment(text: str) -> tuple[str, dict[str, Any]]:
    """Path and plain domain of ``PATH=RANGE``.

    Raises:
        ConfigError: the text is none.
    """
    path, equals, domain = text.partition("=")
    if not equals or not path.strip() or not domain.strip():
        raise ConfigError(f"-p: got '{text}'", EXAMPLE)
    try:
        return path.strip(), parse_domain(domain)
    except ValueError:
        raise ConfigError(f"-p: cannot read the range '{domain}'", EXAMPLE, field=path.strip()) from None


def parse_domain(text: str) -> dict[str, Any]:
    """The plain domain, as `core.tuning.search.space.build_space` takes it, that a text describes.

    ``LOW..HIGH``, ``LOW..HIGH:STEP``, ``log:LOW..HIGH``, ``log:LOW..HIGH:FACTOR``, or choices with commas between
    them, each as in YAML.

    Raises:
        ValueError: the text is neither.
    """
    found = FORM.fullmatch(text.strip())
    if found:
        ends = {end: _number(found[end]) for end in ("low", "high")}
        step = {"step": _number(found["step"])} if found["step"] else {}
        return {**ends, **step, "log": found["log"] is not None}
    try:
        values = yaml.safe_load(f"[{text}]")
    except yaml.YAMLError:
        raise ValueError(text) from None
    if not values or not isinstance(values, list):
        raise ValueError(text)
    return {"choices": [_number_or_text(value) for value in values]}


def default_domains(config: TrainConfig, *, grid: bool) -> dict[str, Any]:
    """The domains to search when none were given: those that the chosen model and optimizer have.

    Args:
        grid: only a few values of each.
    """
    rate: float = default_of(type(config.optimizer).model_fields["lr"])
    if grid:
        ends = {"low": rate / 10, "high": min(rate * 10, LARGEST_RATE)}
        chosen = {"optimizer.lr": {**ends, "log": True, "step": 10}, **IN_A_GRID}
    else:
        ends = {"low": rate / RATE_FACTOR, "high": min(rate * RATE_FACTOR, LARGEST_RATE)}
        chosen = {"optimizer.lr": {**ends, "log": True}, **SEARCHED}
    return {path: chosen[path] for path in _present(chosen, config)}


def _present(paths: Iterable[str], config: TrainConfig) -> list[str]:
    """The paths whose section has the field, and that are in use: RMSprop's momentum is off until someone asks."""
    present = []
    for path in paths:
        section, _, key = path.partition(".")
        field = type(getattr(config, section)).model_fields.get(key)
        off = key == "momentum" and field is not None and default_of(field) == 0
        if field is not None and not off:
            present.append(path)
    return present


def _number(text: str) -> int | float:
    """Raises ValueError for what is not a number."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _number_or_text(value: Any) -> Any:
    """Numbers such as ``1e-3``, which YAML 1.1 takes for text, as numbers."""
    if not isinstance(value, str):
        return value
    try:
        return _number(value)
    except ValueError:
        return value
