"""The options that choose a configuration, shared by every command that takes one, made from the schema."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from core.config import schema as configuration
from core.config.schema import FAMILIES, TrainConfig
from core.config.training import Training
from core.config.yaml_files import read_yaml
from core.options import Options, choices, code_fields, unit_of
from core.user_code.loading import trust_named
from tui.cli.gathered import gathers, option_parameter
from tui.forms.flags import FLAGS

__all__ = ["with_config"]

Command = Callable[..., None]
SEVERAL = tuple(code_fields(Training))
"""Fields that name several pieces of the user's code."""


def with_config(command: Command) -> Command:
    """Give a command the configuration options.

    Its argument ``values`` holds the merged nested values of file, flags and ``--set``.
    """
    flags = [_flag(flag, path) for flag, path in FLAGS.items()]
    return gathers("values", _values, [_FILE, *flags, _SET])(command)


def _values(config_file: Path | None, assignments: list[str] | None, **flags: str | None) -> dict[str, Any]:
    values = read_yaml(config_file) if config_file is not None else {}
    given = [(path, flags[_parameter(flag)]) for flag, path in FLAGS.items()]
    typed = [f"{path}={text}" for path, text in given if text is not None] + (assignments or [])
    for assignment in sorted(typed, key=_is_of_a_field):
        values = configuration.set_path(values, assignment)
        path, _, text = assignment.partition("=")
        trust_named(text.strip(), many=path.strip().rpartition(".")[2] in SEVERAL)
    return values


def _is_of_a_field(assignment: str) -> bool:
    """Return whether this sets a field rather than a name; a name resets its fields and is applied first."""
    path = assignment.partition("=")[0].strip()
    return path not in FAMILIES and not path.endswith(".name")


def _parameter(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_") + "_flag"


def _flag(flag: str, path: str) -> inspect.Parameter:
    section, _, key = path.partition(".")
    if key == "name":
        names = list(choices(FAMILIES[section]))
        text = f"{TrainConfig.model_fields[section].description} {', '.join(names)}."
        completion = _completion(names)
    else:
        text, completion = _describe(section, key), None
    option = typer.Option(
        None, flag, help=text, metavar=key.upper(), autocompletion=completion, rich_help_panel="Configuration"
    )
    return option_parameter(_parameter(flag), str | None, option)


def _completion(names: list[str]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _describe(section: str, key: str) -> str:
    """Description and unit of a field, from the schema."""
    default = TrainConfig.model_fields[section].default
    assert isinstance(default, Options)
    field = type(default).model_fields[key]
    unit = unit_of(field)
    return f"{field.description}{f' In {unit}.' if unit and unit not in str(field.description) else ''}"


_FILE = option_parameter(
    "config_file",
    Path | None,
    typer.Option(
        None, "--config", metavar="FILE", help="YAML file to start from.", rich_help_panel="Configuration"
    ),
)
_SET = option_parameter(
    "assignments",
    list[str] | None,
    typer.Option(
        None,
        "--set",
        metavar="PATH=VALUE",
        help="Any other field, such as model.hidden=[256,128]; repeatable. `tui config` shows all.",
        rich_help_panel="Configuration",
    ),
)
