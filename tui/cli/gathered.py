"""Options of a command that belong together, in place of one of its arguments, which is made of them."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["gathers", "option_parameter"]

Command = Callable[..., None]


def gathers(
    name: str, make: Callable[..., Any], options: Sequence[inspect.Parameter] | None = None
) -> Callable[[Command], Command]:
    """Return a decorator of a command that gives it options in place of one of its arguments, which is made of them.

    Args:
        name: of that argument; empty if the command takes nothing from them, which then are its last options.
        make: called with the values of the options, before the command.
        options: None for the parameters of `make`.
    """
    added = list(inspect.signature(make).parameters.values()) if options is None else list(options)
    added = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in added]

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command)

        @functools.wraps(command)
        def wrapper(**arguments: Any) -> None:
            made = make(**{one.name: arguments.pop(one.name) for one in added})
            command(**arguments, **({name: made} if name else {}))

        everything: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            everything += added if one.name == name else [one.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        everything += [] if name else added
        # `inspect` reads this attribute, which the type of a function does not have.
        wrapper.__signature__ = signature.replace(parameters=everything)  # type: ignore[attr-defined]  # `inspect` reads it
        wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in everything}
        return wrapper

    return decorate


def option_parameter(name: str, annotation: Any, option: Any) -> inspect.Parameter:
    """Return an option of a command that is not written as an argument of a function."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation)
