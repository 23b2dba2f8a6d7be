"""Options of the observers beside a training, made from `Extras`; the environment passes them on."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args

import typer

from core.observers.settings import Extras, Tracker
from core.options import unit_of

__all__ = ["with_extras"]

PANEL = "Beside the training"


def with_extras(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--log --notify --alert --stall-minutes --no-system --media``, over the environment."""
    signature = inspect.signature(command)
    added = [_option(name) for name in Extras.model_fields]

    @functools.wraps(command)
    def wrapper(*values: Any, **arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in Extras.model_fields}
        chosen = {name: value for name, value in given.items() if value not in (None, [])}
        Extras.from_environment(chosen).to_environment()
        command(*values, **arguments)

    everything = [*signature.parameters.values(), *added]
    # `inspect` reads this attribute, which the type of a function does not have.
    wrapper.__signature__ = signature.replace(parameters=everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in everything}
    return wrapper


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
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation)
