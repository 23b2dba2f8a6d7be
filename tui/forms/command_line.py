"""A configuration as the equivalent command."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from core.config.schema import TrainConfig, from_dict, to_dict
from core.options import Options, default_of
from core.runs.folder import default_runs_dir
from core.torchrun import STARTED_WITH
from core.user_code.arguments import ARGUMENTS
from tui.forms.flags import FLAGS
from tui.terminal.text import clean

__all__ = ["command_line", "options", "place", "resume_command", "train_words", "written"]


def command_line(
    config: TrainConfig, runs_dir: Path | None = None, name: str = "", host: Sequence[str] = ()
) -> str:
    """Return the ``tui train --no-ui`` command for `config`, quoted for a shell: only what differs from the defaults.

    Args:
        runs_dir: folder for the run; by default the one that commands in the shell use.
        name: what the user calls the run.
        host: options that say where it trains.
    """
    return shlex.join(train_words(config, runs_dir, name, host))


def train_words(
    config: TrainConfig, runs_dir: Path | None = None, name: str = "", host: Sequence[str] = ()
) -> list[str]:
    """Return the words of `command_line`."""
    called = ["--name", name] if name else []
    where = place(runs_dir) if runs_dir is not None else []
    return ["tui", "train", "--no-ui", *host, *options(config), *called, *where]


def resume_command(command: Literal["train", "tune"], folder: Path, host: Sequence[str] | None = None) -> str:
    """Return the headless command that resumes a run or a study, quoted for a shell.

    In one of several processes it starts as many again.

    Args:
        command: ``train`` for a run, ``tune`` for a study.
        folder: of the run or the study.
        host: options that say where a run trains; None for those that this process was started with.
    """
    if host is None:
        host = shlex.split(os.environ.get(STARTED_WITH, ""))
    words = [command, "--no-ui", "--resume", folder.name, *host, *place(folder.parent)]
    return shlex.join(["tui", *map(clean, words)])


def place(runs_dir: Path) -> list[str]:
    """Return the option that names a folder of runs; none for the folder that is searched without it."""
    return [] if runs_dir.resolve() == default_runs_dir().resolve() else ["--runs", str(runs_dir)]


def options(config: TrainConfig) -> list[str]:
    """Return the flags, and ``--set`` for fields without a flag, that produce `config`."""
    changed = _changed(config)
    if "training.epochs" in changed and not config.training.min_steps:
        changed.pop(
            "training.min_steps", None
        )  # epochs that are given have no smallest number of steps beside them
    flags = [part for flag, path in FLAGS.items() if path in changed for part in (flag, changed.pop(path))]
    return [*flags, *(part for path, text in changed.items() for part in ("--set", f"{path}={text}"))]


def _changed(config: TrainConfig) -> dict[str, str]:
    """Dotted path and written value of every choice, and of every field, that differs from its default."""
    plain = to_dict(config)
    suggested = from_dict({"data": plain["data"], "model": {"name": config.model.name}})
    usual = suggested.model_copy(
        update={"model": from_dict({"data": plain["data"]}).model, "data": TrainConfig().data}
    )
    changed: dict[str, str] = {}
    for section in TrainConfig.model_fields:
        chosen, standard = getattr(config, section), getattr(usual, section)
        fields = {}
        for key, field in type(chosen).model_fields.items():
            default = getattr(standard, key) if type(standard) is type(chosen) else default_of(field)
            if key == "name":
                default = standard.name
            if getattr(chosen, key) != default:
                fields[key] = plain[section][key]
        for key, value in _in_short(chosen, fields).items():
            inner = {f"{key}.{name}": part for name, part in value.items()} if key == ARGUMENTS else {}
            changed |= {f"{section}.{name}": written(part) for name, part in (inner or {key: value}).items()}
    return changed


def _in_short(chosen: Options, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields with the one that stands for the whole choice, such as the path of a file, in place of its name."""
    for key, value in fields.items():
        if isinstance(value, str) and chosen.fields_for(value) == {key: value}:
            return {"name": value} | {other: fields[other] for other in fields if other not in ("name", key)}
    return fields


def written(value: Any) -> str:
    """A value as YAML on one line, which is how the command line reads it."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(part)}' for key, part in value.items())}}}"
    return (
        yaml.safe_dump(value, allow_unicode=True, width=float("inf")).removesuffix("\n").removesuffix("\n...")
    )
