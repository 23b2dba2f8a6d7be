"""A configuration as the command that gives it."""

import shlex
from typing import Any

import yaml

from core.config import TrainConfig, to_dict
from core.options import default_of
from tui.cli.config_options import FLAGS

__all__ = ["command_line", "options"]


def command_line(config: TrainConfig) -> str:
    """The ``tui train --no-ui`` command for `config`, quoted for a shell: only what differs from the defaults."""
    return shlex.join(["tui", "train", "--no-ui", *options(config)])


def options(config: TrainConfig) -> list[str]:
    """The flags, and ``--set`` for what has no flag, that lead to `config`."""
    changed = _changed(config)
    flags = [part for flag, path in FLAGS.items() if path in changed for part in (flag, changed.pop(path))]
    return [*flags, *(part for path, text in changed.items() for part in ("--set", f"{path}={text}"))]


def _changed(config: TrainConfig) -> dict[str, str]:
    """Dotted path and written value of every choice, and of every field, that differs from its default."""
    plain = to_dict(config)
    changed = {}
    for section in TrainConfig.model_fields:
        chosen, standard = getattr(config, section), default_of(TrainConfig.model_fields[section])
        for key, field in type(chosen).model_fields.items():
            default = getattr(standard, "name", None) if key == "name" else default_of(field)
            if getattr(chosen, key) != default:
                changed[f"{section}.{key}"] = _written(plain[section][key])
    return changed


def _written(value: Any) -> str:
    """A value as YAML on one line, which is how the command line reads it."""
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, float):
        return repr(value)
    return (
        yaml.safe_dump(value, allow_unicode=True, width=float("inf")).removesuffix("\n").removesuffix("\n...")
    )
