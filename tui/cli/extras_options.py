"""Options of the observers beside a training, made from `Extras`; the environment passes them on."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

import typer

from core.observers.settings import Extras, Tracker
from core.options import unit_of
from tui.cli.gathered import gathers, option_parameter

__all__ = ["with_extras"]

PANEL = "Beside the training"


def with_extras(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--log --notify --alert --stall-minutes --no-system --media``, over the environment."""
    return gathers("", _to_environment, [_option(name) for name in Extras.model_fields])(command)


def _to_environment(**given: Any) -> None:
    chosen = {name: value for name, value in given.items() if value not in (None, [])}
    Extras.from_environment(chosen).to_environment()


def _option(name: str) -> inspect.Parameter:
    field = Extras.model_fields[name]
    flag = f"--{name.replace('_', '-')}"
    annotation, metavar = {
        "log": (list[str] | None, "|".join(get_args(Tracker))),
        "notify": (str | None, "URL|COMMAND"),
        "alert": (list[str] | None, "RULE"),
        "stall_minutes": (float | None, unit_of(field).upper()),
        "system": (bool | None, None),
        "media": (int | None, "N"),
    }[name]
    flags = [f"{flag}/--no-{name}"] if name == "system" else [flag]
    text = f"{field.description} Also: TUI_{name.upper()}."
    option = typer.Option(None, *flags, help=text, metavar=metavar, rich_help_panel=PANEL)
    return option_parameter(name, annotation, option)
